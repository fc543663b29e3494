"""MegaLoc against a twin in PyTorch, before and after export; its file, its training."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model, list_models, megaloc
from landmark_zoo.models.registry import WHOLE, ModelConfig, describe_model_weights
from tests.backbones.dinov2_twin import random_aggregation, random_tensors
from tests.backbones.test_dinov2 import SMALL, ask_twin, use_small
from tests.contracts.model import embed_elsewhere, export_and_embed, train_one_step

AGGREGATION = {"clusters": 5, "cluster_dim": 6, "token_dim": 7, "hidden": 16}
DIMENSION = 24
SETTINGS = {"registers": 0, "seed": 5, "dimension": DIMENSION, **SMALL, **AGGREGATION}


@pytest.fixture
def small(monkeypatch):
    use_small(monkeypatch, megaloc.BACKBONE)
    monkeypatch.setattr(megaloc, "AGGREGATION", AGGREGATION)
    monkeypatch.setattr(megaloc, "DIMENSION", DIMENSION)
    monkeypatch.setitem(megaloc.build_megaloc.__kwdefaults__, "embedding_dim", DIMENSION)


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin")
    images, found = ask_twin(folder, [{"name": "megaloc", "file": "model.safetensors", **SETTINGS}])
    return folder / "model.safetensors", images, found["megaloc"]


def test_equals_the_twin(small, twin):
    file, images, found = twin
    model = create_model("megaloc", weights=file, embedding_dim=DIMENSION)
    before_projection = create_model("megaloc", weights=file, embedding_dim=0)
    for key, image in images.items():
        outputs = model(image[None])
        np.testing.assert_allclose(outputs["feature_map"][0], found[f"{key}/map"], rtol=0, atol=1e-5, err_msg=key)
        np.testing.assert_allclose(outputs["embedding"][0], found[f"{key}/embedding"], rtol=0, atol=1e-5, err_msg=key)
        np.testing.assert_allclose(before_projection(image[None])["embedding"][0], found[f"{key}/salad"], rtol=0, atol=1e-5)
    embeddings = np.stack([found[f"{key}/embedding"] for key in images])
    assert (embeddings @ embeddings.T).min() < 0.999  # it does tell images apart


@pytest.mark.slow
def test_equals_the_twin_after_export_in_a_process_without_torch_and_project(small, twin, tmp_path):
    file, images, found = twin
    model = create_model("megaloc", weights=file, embedding_dim=DIMENSION)
    image = images["97 x 65"][None]
    export_and_embed(model, tmp_path, image)
    exported = embed_elsewhere(tmp_path, [model.name], image)[model.name][0]
    np.testing.assert_allclose(exported, found["97 x 65/embedding"], rtol=0, atol=1e-5)


@pytest.fixture
def tensors():
    own = {f"backbone.{name}": values for name, values in random_tensors(**SETTINGS).items()}
    return {**own, **random_aggregation(**SETTINGS)}


def test_every_tensor_is_used_or_refused(small, tensors):
    model = create_model("megaloc", embedding_dim=DIMENSION)
    megaloc.load_megaloc(model, tensors, "file")
    np.testing.assert_array_equal(model.get_layer("embedding").kernel, tensors["aggregator.linear.weight"].T)
    for name, said in (("backbone.cls_token", "none named backbone.cls_token"),
                       ("aggregator.agg.score.3.weight", "none named aggregator.agg.score.3.weight"),
                       ("aggregator.linear.bias", "none named aggregator.linear.bias")):
        with pytest.raises(UserError, match=said):
            megaloc.load_megaloc(model, {key: value for key, value in tensors.items() if key != name}, "file")
    for name in ("backbone.x", "aggregator.x"):
        with pytest.raises(UserError, match=f"1 tensors that it has no layer for, {name}"):
            megaloc.load_megaloc(model, {**tensors, name: np.zeros(2, np.float32)}, "file")


def test_learns_with_a_head_and_carries_a_block(small, tensors):
    model = create_model("megaloc", embedding_dim=DIMENSION, num_classes=3, attention="se")
    megaloc.load_megaloc(model, tensors, "file")
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 97, 3)).astype(np.float32)
    train_one_step(model, images, np.array([0, 2]))
    assert model(images)["attention/se"].shape == (2, 1, 1, SMALL["width"])


def test_settings_that_do_not_fit_its_weights(small, tmp_path):
    with pytest.raises(UserError, match=f"embedding_dim {DIMENSION} for the weights of megaloc.*received 512"):
        create_model("megaloc", weights=tmp_path / "model.safetensors", embedding_dim=512)
    with pytest.raises(UserError, match=r"model\.safetensors of gberton/MegaLoc; received .*which does not exist"):
        create_model("megaloc", weights=tmp_path / "model.safetensors", embedding_dim=DIMENSION)
    with pytest.raises(UserError, match="no alpha for dinov2b14"):
        create_model("megaloc", alpha=0.5)
    with pytest.raises(UserError, match="placement 'end' for megaloc"):
        create_model("megaloc", placement="stages")


def test_its_row(small, tmp_path):
    assert "megaloc" in list_models("mega*")
    assert WHOLE["megaloc"].learns
    assert not WHOLE["xfeat"].learns
    assert describe_model_weights("megaloc", None) == {"pretrained": "none"}
    (tmp_path / "model.safetensors").write_bytes(b"tensors")
    assert describe_model_weights("megaloc", tmp_path / "model.safetensors")["pretrained"] == "model.safetensors"
    assert ModelConfig("megaloc").build().output_shape["embedding"] == (None, DIMENSION)
    model = ModelConfig("megaloc", embedding_dim=9).build(4)
    assert model.output_shape["logits"] == (None, 4)


@pytest.mark.slow
def test_sizes_of_the_paper():
    model = create_model("megaloc")
    assert model.output_shape["embedding"] == (None, 8448)
    assert model.get_layer("salad").output_shape == (None, 16_640)
    # B/14 without mask token; three perceptrons; the linear layer
    aggregation = 3 * (768 * 512 + 512) + 513 * (256 + 256 + 64) + 1
    assert model.count_params() == 86_579_712 + aggregation + 16_640 * 8448 + 8448
    names = {weight.name for weight in model.get_layer("dinov2b14").weights}
    assert len(names) == 2 + 2 + 12 * 14 + 2
    assert model(tf.zeros([1, 322, 322, 3]))["feature_map"].shape == (1, 23, 23, 768)
