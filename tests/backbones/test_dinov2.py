"""DINOv2 against a twin in PyTorch, its positions against OpenCV and Pillow, its layers, and what the zoo makes of it."""

import dataclasses
import functools
import json
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.backbones import build as building
from landmark_zoo.backbones.build import build_backbone, load_weights, preprocess
from landmark_zoo.backbones.dinov2 import (
    ClassToken,
    FitToPatches,
    LayerScale,
    PatchMap,
    PatchTokens,
    TokenAttention,
    authors_form,
    dinov2,
    interpolate_positions,
    torch_names,
)
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.surgery import places
from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build as composing
from landmark_zoo.models import create_model, list_models
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.optimizer import freeze_stages, variable_groups
from tests.backbones.dinov2_twin import random_tensors
from tests.contracts.model import embed_elsewhere, export_and_embed, train_one_step

SMALL = {"width": 48, "depth": 2, "heads": 3, "grid": 7}
SIZES = (98, 98), (64, 64), (97, 65), (105, 259)
"""The size of the positions, a smaller one, one that is rounded on both sides, and one with a half that goes to the even."""


def ask_twin(folder, networks, sizes=SIZES):
    """Writes the twin's files and answers for images of these sizes into a folder; skips without LANDMARK_ZOO_TORCH."""
    python = os.environ.get("LANDMARK_ZOO_TORCH") or pytest.skip("no LANDMARK_ZOO_TORCH, a Python with torch")
    random = np.random.default_rng(0)
    images = {f"{height} x {width}": np.asarray(cv2.resize(random.uniform(0, 255, [9, 9, 3]), (width, height)), np.float32)
              for height, width in sizes}
    np.savez(folder / "images.npz", **images)
    (folder / "asked.json").write_text(json.dumps(networks))
    subprocess.run([python, Path(__file__).with_name("dinov2_twin.py"), str(folder)], check=True,
                   env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"})
    return images, {network["name"]: dict(np.load(folder / f"{network['name']}.npz")) for network in networks}


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin")
    images, found = ask_twin(folder, [{"name": f"registers{count}", "file": f"registers{count}.pth", "registers": count,
                                       "seed": count, **SMALL} for count in (0, 4)])
    return folder, images, found


def use_small(monkeypatch, backbone, **arguments):
    """Puts a small network in the place of a row's, wherever the zoo builds one."""
    spec = BACKBONES[backbone]
    small = dataclasses.replace(spec, application=functools.partial(dinov2, backbone, **{**SMALL, **arguments}))
    for module in (building, composing):
        monkeypatch.setattr(module, "BACKBONES", {backbone: small})
    return small


@pytest.mark.parametrize("registers", [0, 4])
def test_equals_the_twin(twin, registers):
    folder, images, found = twin
    network = dinov2("small", registers=registers, **SMALL)
    load_weights(network, BACKBONES["dinov2s14"], folder / f"registers{registers}.pth")
    for key, image in images.items():
        outputs = network(preprocess(image[None], "standard"))
        for output, expected in (("patch_map", "map"), ("class_token", "token")):
            expected = found[f"registers{registers}"][f"{key}/{expected}"]
            assert np.abs(expected).max() > 1
            np.testing.assert_allclose(outputs[output][0], expected, rtol=0, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_equals_the_twin_after_export_in_a_process_without_torch_and_project(twin, monkeypatch, tmp_path):
    folder, images, found = twin
    use_small(monkeypatch, "dinov2s14reg", registers=4)
    model = create_model("dinov2s14reg", embedding_dim=0, weights=folder / "registers4.pth")
    image = images["97 x 65"][None]
    export_and_embed(model, tmp_path, image)
    exported = embed_elsewhere(tmp_path, [model.name], image)[model.name][0]
    mean = found["registers4"]["97 x 65/map"].mean(axis=(0, 1))
    np.testing.assert_allclose(exported, mean / np.linalg.norm(mean), rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["dinov2s14", "dinov2s14reg"])
def test_whole_networks_equal_the_twin(backbone, tmp_path):
    network = {"name": "whole", "file": "whole.pth", "seed": 3, "width": 384, "depth": 12, "heads": 6, "grid": 37,
               "registers": 4 if backbone.endswith("reg") else 0}
    images, found = ask_twin(tmp_path, [network], [(98, 98), (518, 518), (97, 161), (224, 280)])
    model = build_backbone(backbone, tmp_path / "whole.pth", taps=("C5", "class_token"))
    for key, image in images.items():
        outputs = model(preprocess(image[None], "standard"))
        for output, expected in (("C5", "map"), ("class_token", "token")):
            expected = found["whole"][f"{key}/{expected}"]
            np.testing.assert_allclose(outputs[output][0], expected, rtol=0, atol=1e-5 * np.abs(expected).max(), err_msg=key)


@pytest.mark.parametrize(("height", "width"), [(3, 9), (5, 4), (7, 12), (11, 7)])
def test_positions_against_opencv_and_pillow(height, width):
    positions = np.random.default_rng(0).standard_normal((7, 7)).astype(np.float32)
    own = tf.constant(positions)[tf.newaxis, ..., tf.newaxis]
    with_registers = interpolate_positions(own, height, width, antialias=True)[0, ..., 0]
    pillow = Image.fromarray(positions).resize((width, height), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(with_registers, np.asarray(pillow), atol=1e-5)
    columns, rows = np.meshgrid(*((np.arange(side) + 0.5) * 7 / (side + 0.1) - 0.5 for side in (width, height)))
    expected = np.empty((height, width), np.float32)  # OpenCV's remap rounds places to 1/32 of a pixel
    for index in np.ndindex(height, width):
        place = rows[index], columns[index]
        weights = [keys(np.arange(-3, 11) - each) for each in place]
        nearest = np.clip(np.arange(-3, 11), 0, 6)
        expected[index] = weights[0] @ positions[np.ix_(nearest, nearest)] @ weights[1]
    plain = interpolate_positions(own, height, width, antialias=False)[0, ..., 0]
    np.testing.assert_allclose(plain, expected, atol=1e-5)
    remapped = cv2.remap(positions, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC,
                         borderMode=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(plain, remapped, atol=0.12)


def keys(x):
    """Keys' cubic of -3/4."""
    x = np.abs(x)
    return np.where(x <= 1, 1.25 * x**3 - 2.25 * x**2 + 1, np.where(x < 2, -0.75 * (x**3 - 5 * x**2 + 8 * x - 4), 0))


@pytest.mark.parametrize("antialias", [False, True])
def test_positions_of_their_own_size_stay(antialias):
    positions = tf.constant(np.random.default_rng(0).standard_normal((1, 7, 7, 5)), tf.float32)
    np.testing.assert_allclose(interpolate_positions(positions, 7, 7, antialias), positions, atol=1e-6)
    assert np.abs(interpolate_positions(positions, 7, 8, antialias)[:, :, :7] - positions).max() > 0.1


@pytest.mark.parametrize(("side", "fitted"), [(32, 28), (35, 28), (36, 42), (49, 56), (518, 518), (14 * 3 + 7, 56), (3, 14)])
def test_sides_go_to_the_nearest_multiple(side, fitted):
    layer, image = FitToPatches(), np.random.default_rng(0).uniform(0, 255, (1, side, 28, 3)).astype(np.float32)
    resized = layer(image)
    assert resized.shape == layer.compute_output_shape(image.shape) == (1, fitted, 28, 3)
    dynamic = tf.function(layer.call, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(dynamic(image), resized, atol=1e-3)
    if side == fitted:
        np.testing.assert_array_equal(resized, image)


ATTENTION_INPUTS = np.random.default_rng(1).standard_normal((2, 5, 6)).astype(np.float32)


@pytest.mark.parametrize(("create", "inputs"), [
    (lambda **keras: TokenAttention(3, **keras), ATTENTION_INPUTS), (LayerScale, ATTENTION_INPUTS),
    (ClassToken, ATTENTION_INPUTS)])
def test_contract_of_layers_of_tokens(check_layer, create, inputs, tmp_path):
    check_layer(create, inputs, tmp_path)


@pytest.mark.parametrize("create", [FitToPatches, *(
    functools.partial(PatchTokens, registers, 5) for registers in (0, 4))])
def test_contract_of_layers_of_maps(check_layer, create, tmp_path):
    images = np.random.default_rng(0).standard_normal((2, 20, 30, 6)).astype(np.float32)
    check_layer(create, images, tmp_path)


def test_a_map_of_patches_without_registers():
    tokens = np.arange(2 * 8 * 3, dtype=np.float32).reshape(2, 8, 3)
    layer = PatchMap(registers=1)
    found = layer([tokens, np.zeros((2, 2, 3, 3), np.float32)])
    np.testing.assert_array_equal(found, tokens[:, 2:].reshape(2, 2, 3, 3))
    assert PatchMap.from_config(layer.get_config()).registers == 1


def test_attention_by_loops():
    layer = TokenAttention(2)
    inputs = ATTENTION_INPUTS[:1, :, :4]
    layer(inputs)
    draw = np.random.default_rng(2)
    layer.set_weights([draw.standard_normal(weight.shape) for weight in layer.weights])
    kernel, bias, last, last_bias = (weight.numpy() for weight in layer.weights)
    query, key, value = np.split(inputs[0] @ kernel + bias, 3, axis=1)
    heads = []
    for head in (slice(0, 2), slice(2, 4)):
        rows = []
        for token in range(5):
            logits = np.array([query[token, head] @ key[other, head] / 2**0.5 for other in range(5)])
            rows.append(np.exp(logits) / np.exp(logits).sum() @ value[:, head])
        heads.append(np.stack(rows))
    np.testing.assert_allclose(layer(inputs)[0], np.concatenate(heads, axis=1) @ last + last_bias, rtol=1e-4, atol=1e-5)


def test_heads_that_do_not_divide_the_channels():
    with pytest.raises(ValueError, match="channels that 4 heads divide; received 6"):
        TokenAttention(4)(ATTENTION_INPUTS)


def test_files_of_timm():
    """timm has added the class token's position to the token and left it out, and calls the registers otherwise."""
    theirs = random_tensors(registers=4, seed=0, **SMALL)
    timm = {**theirs, "cls_token": theirs["cls_token"] + theirs["pos_embed"][:, :1],
            "pos_embed": theirs["pos_embed"][:, 1:], "reg_token": theirs["register_tokens"]}
    del timm["register_tokens"]
    image, found = np.random.default_rng(0).standard_normal((1, 56, 70, 3)).astype(np.float32), []
    for tensors in (theirs, timm):
        network = dinov2("small", registers=4, **SMALL)
        building.assign_tensors(network, authors_form(tensors), torch_names(network), "file")
        found.append(network(image))
    for name in found[0]:
        np.testing.assert_allclose(found[1][name], found[0][name], atol=1e-6)


def test_every_tensor_is_used_or_refused():
    tensors = {**random_tensors(registers=0, seed=0, **SMALL), "mask_token": np.zeros((1, 48), np.float32)}
    network = dinov2("small", **SMALL)
    building.assign_tensors(network, tensors, torch_names(network), "file", ("mask_token",))
    with pytest.raises(UserError, match="1 tensors that it has no layer for, mask_token"):
        building.assign_tensors(network, tensors, torch_names(network), "file")
    registers = dinov2("small", registers=4, **SMALL)
    with pytest.raises(UserError, match="none named register_tokens"):
        building.assign_tensors(registers, tensors, torch_names(registers), "file", ("mask_token",))
    tensors["pos_embed"] = tensors["pos_embed"][0]
    with pytest.raises(UserError, match=r"pos_embed float32 \[50, 48\]"):
        building.assign_tensors(network, tensors, torch_names(network), "file", ("mask_token",))


def test_only_random_starts_of_its_own():
    with pytest.raises(ValueError, match="weights=None; received False and 'imagenet'"):
        dinov2("small", weights="imagenet", **SMALL)


@pytest.mark.parametrize("block", ["gem", "se", "salad", "how"])
def test_models_learn(block, monkeypatch):
    use_small(monkeypatch, "dinov2s14")
    monkeypatch.setattr("landmark_zoo.models.how.BACKBONES", building.BACKBONES)
    model = create_model(f"dinov2s14_{block}", embedding_dim=8, num_classes=3)
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 97, 3)).astype(np.float32)
    train_one_step(model, images, np.array([0, 2]))
    outputs = model(images)
    assert outputs["embedding"].shape == (2, 8)
    assert outputs["feature_map"].shape[:3] == (2, 5, 7)
    assert ("class_token" in model.get_layer("dinov2s14").output_shape) == (block == "salad")


def test_trains_under_mixed_precision(monkeypatch):
    use_small(monkeypatch, "dinov2s14reg", registers=4)
    before = tf.keras.mixed_precision.global_policy()
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 97, 3)).astype(np.float32)
    model = create_model("dinov2s14reg_salad", embedding_dim=8)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        half = create_model("dinov2s14reg_salad", embedding_dim=8)
        half.set_weights(model.get_weights())
        assert half.get_layer("dinov2s14reg").output["C5"].dtype == tf.bfloat16
        np.testing.assert_allclose(half(images)["embedding"], model(images)["embedding"], atol=0.05)
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def test_what_has_no_place_in_a_transformer_is_one_line(monkeypatch):
    spec = use_small(monkeypatch, "dinov2s14")
    network = build_backbone("dinov2s14")
    assert list(network.output) == ["C5"]
    assert places(network, spec, "stages") == {"patch_map": "c5"}
    for placement in ("blocks", "convolutions"):
        with pytest.raises(UserError, match=f"placement '{placement}'; received dinov2s14, which has none"):
            places(network, spec, placement)
    with pytest.raises(UserError, match="a backbone with C3 and C4; received dinov2s14, which has C5, class_token"):
        build_backbone("dinov2s14", taps=("C3", "C4"))
    assert not {f"dinov2s14_{network}" for network in ("abn", "delf", "delg", "solar")} & set(list_models("dinov2*"))
    assert {"dinov2s14_gem", "dinov2b14_salad", "dinov2s14reg_delg_block"} <= set(list_models("dinov2*"))


def test_freezing_and_layer_decay(monkeypatch):
    use_small(monkeypatch, "dinov2s14")
    model = create_model("dinov2s14_gem", embedding_dim=8, num_classes=3)
    assert freeze_stages(model, "none") == 0
    with pytest.raises(UserError, match=r"stage c3 for --freeze; .*dinov2s14\. Use --freeze=all or --freeze=none"):
        freeze_stages(model, "c3")
    with pytest.raises(UserError, match=r"for --layer_decay; .*dinov2s14\. Use --layer_decay=1"):
        variable_groups(model, TrainingConfig(layer_decay=0.5))
    groups = variable_groups(model, TrainingConfig())
    assert [group.name for group in groups] == ["backbone", "head"]
    assert len(groups[0].variables) == 2 + 2 + 2 * 14 + 2
    assert freeze_stages(model, "all") == 1 + 1 + 2 * 7 + 1
    assert not model.get_layer("dinov2s14").trainable_variables
