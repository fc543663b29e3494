"""Published ImageNet networks with attention in their blocks, and transformers, against twins in PyTorch."""

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.models.published import build as publishing
from landmark_zoo.models.published.build import create_published
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from tests.backbones.dinov2_twin import random_aggregation, random_tensors
from tests.backbones.test_dinov2 import SMALL, ask_twin, use_small
from tests.contracts.model import embed_elsewhere, export_and_embed, train_one_step
from tests.models.published.test_twins import IMAGES

KINDS = {"cbam/resnet50": "CBAM", "senet/resnet50": "SE", "timm/seresnet50.a1_in1k": "TimmSE", "ecanet/resnet50": "ECA"}
ALPHA = 1 / 8


def arguments_of(name):
    """Sizes of ECA follow the channels, which are fewer here."""
    checkpoint = CHECKPOINTS[name]
    if checkpoint.project != "ecanet":
        return checkpoint
    sizes = checkpoint.arguments["attention_arguments"]["kernel_size"]
    sizes = tuple((round(channels * ALPHA), size) for channels, size in sizes)
    return dataclasses.replace(checkpoint, arguments={
        **checkpoint.arguments, "attention_arguments": {"kernel_size": sizes}})


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    python = os.environ.get("LANDMARK_ZOO_TORCH") or pytest.skip("no LANDMARK_ZOO_TORCH, a Python with torch")
    folder = tmp_path_factory.mktemp("twins")
    np.savez(folder / "images.npz", **{name: image for name, image in IMAGES.items() if "/" not in name})
    (folder / "asked.json").write_text(json.dumps([
        {"kind": kind, "depth": 50, "width": round(64 * ALPHA), "file": f"{kind}.pth"} for kind in KINDS.values()]))
    subprocess.run([python, str(Path(__file__).with_name("attention_twin.py")), str(folder)], check=True,
                   env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"})
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_attention_of_imagenet_networks(name, twin, monkeypatch):
    monkeypatch.setattr(publishing, "CHECKPOINTS", {name: arguments_of(name)})
    model = create_published(name, twin / f"{KINDS[name]}.pth", alpha=ALPHA)
    expected = np.load(twin / f"{KINDS[name]}.pth.npz")
    for number in expected.files:
        np.testing.assert_allclose(model(IMAGES[number][None])["embedding"][0], expected[number], rtol=0, atol=1e-5)
    attention = CHECKPOINTS[name].arguments["attention"]
    assert sum(output.startswith(f"attention/{attention}_conv") for output in model.output) == 16 * (
        2 if attention == "cbam" else 1)


@pytest.mark.slow
def test_export_in_a_process_without_torch_and_project(twin, tmp_path):
    model = create_published("cbam/resnet50", twin / "CBAM.pth", alpha=ALPHA)
    model._name = "cbam"
    image = np.float32(IMAGES["1"])[None]
    export_and_embed(model, tmp_path, image)
    np.testing.assert_allclose(embed_elsewhere(tmp_path, ["cbam"], image)["cbam"][0], np.load(twin / "CBAM.pth.npz")["1"],
                               rtol=0, atol=1e-5)


@pytest.mark.slow
def test_it_trains_with_a_head():
    model = create_model("senet/resnet50", alpha=1 / 8, embedding_dim=8, num_classes=3)
    train_one_step(model, np.float32(IMAGES["0"])[None].repeat(2, 0), np.array([0, 2]))


AGGREGATION = {"clusters": 5, "cluster_dim": 6, "token_dim": 7, "hidden": 16}


@pytest.mark.parametrize("project", ["megaloc", pytest.param("salad", marks=pytest.mark.slow)])
def test_transformers_with_optimal_transport(project, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "BACKBONES", {"dinov2b14": use_small(monkeypatch, "dinov2b14")})
    name, width = f"{project}/dinov2b14", 24 if project == "megaloc" else None
    row = dataclasses.replace(CHECKPOINTS[name], arguments={
        "pooling": "salad", "pooling_arguments": AGGREGATION, "embedding_dim": width})
    monkeypatch.setattr(publishing, "CHECKPOINTS", {name: row})
    settings = {"registers": 0, "seed": 5, "dimension": 24, **SMALL, **AGGREGATION}
    images, found = ask_twin(tmp_path, [{"name": "megaloc", "file": "model.safetensors", **settings}])
    if project == "salad":  # the same network under the names of its ancestor
        aggregation = {key.replace("aggregator.agg.", "aggregator."): values
                       for key, values in random_aggregation(**settings).items() if ".linear." not in key}
        tensors = {f"backbone.model.{key}": values for key, values in random_tensors(**settings).items()} | aggregation
        monkeypatch.setattr(publishing, "read_state_dict", lambda path: {
            **tensors, "backbone.model.mask_token": np.zeros([1, 48], np.float32)})
    model = create_published(name, tmp_path / "model.safetensors")
    for key, image in images.items():
        expected = found["megaloc"][f"{key}/{'embedding' if project == 'megaloc' else 'salad'}"]
        np.testing.assert_allclose(model(image[None])["embedding"][0], expected, rtol=0, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_a_file_of_another_attention(twin):
    with pytest.raises(UserError, match=r"none named layer\d\.\d\.eca\.conv\.weight"):
        create_published("ecanet/resnet50", twin / "CBAM.pth", alpha=ALPHA)
