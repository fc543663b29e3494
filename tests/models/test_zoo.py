"""The named models."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model, create_model, list_models
from landmark_zoo.models.on_features import on_features
from landmark_zoo.models.zoo import MODELS


def test_lists_by_pattern():
    assert {"resnet50_se", "resnet101_se", "vgg16_se"} <= set(list_models("*_se"))
    assert list_models("resnet*_se").index("resnet50_se") < list_models("resnet*_se").index("resnet101_se")


def test_unknown_name_gets_near_ones():
    with pytest.raises(UserError, match="mobilenetv2_se"):
        create_model("mobilenetv2_es")


def test_none_leaves_the_default_in_force():
    model = create_model("mobilenet_gem", alpha=0.25, embedding_dim=None)
    assert model.output_shape["embedding"] == (None, 512)
    assert create_model("mobilenet_gem", alpha=0.25, embedding_dim=0).output_shape["embedding"] == (None, 256)


def test_every_backbone_has_a_plain_and_an_attended_model():
    for name in MODELS:
        if "builder" in MODELS[name]:
            continue
        block = MODELS[name].get("attention") or MODELS[name]["pooling"]
        assert name.removesuffix("_block") in (MODELS[name]["backbone"], f"{MODELS[name]['backbone']}_{block}")


@pytest.mark.parametrize("block", ["delf", "delg", "how", "solar"])
def test_a_block_whose_name_is_that_of_a_network_has_one_of_its_own(block):
    model = create_model(f"resnet18_{block}_block", embedding_dim=8, alpha=0.25, num_classes=3)
    assert [layer.name for layer in on_features(model)[1].layers[1:]] == [block, "gem", "embedding", "arcface"]
    assert model.name == f"resnet18_{block}_block"
    assert f"resnet18_{block}" in list_models()


def test_a_backbone_by_itself_is_pooled_by_its_mean():
    images = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    model = create_model("resnet18", alpha=0.25, embedding_dim=0)
    assert model.name == "resnet18"
    outputs = model(images)
    mean = np.mean(outputs["feature_map"], axis=(1, 2))
    np.testing.assert_allclose(outputs["embedding"], mean / np.linalg.norm(mean), atol=1e-5)
    assert {"efficientnetb0", "resnet18", "resnet50"} <= set(list_models())


@pytest.mark.parametrize(("name", "output"), [
    ("mobilenet_delf", "local_features"), ("mobilenet_delg", "reconstruction_error"), ("mobilenet_how", "local_features"),
    ("mobilenet_solar", "attention/solar_c4/solar"), ("mobilenet_abn", "attention_logits")])
def test_names_of_papers_are_their_networks(name, output):
    model = create_model(name, alpha=0.25, embedding_dim=16, num_classes=3, head="cosface", head_arguments={"margin": 0.2})
    assert model.name == name
    assert output in model.output_shape
    assert model.output_shape["embedding"] == (None, 16)
    assert model.get_layer("cosface").margin == 0.2
    with pytest.raises(UserError, match=f"placement 'end' for {name}"):
        create_model(name, placement="stages", num_classes=3)


@pytest.mark.parametrize(("name", "dimension"), [("mobilenet_delg", 2048), ("mobilenet_how", 128), ("mobilenet_solar", 2048),
                                                 ("mobilenet_delf", 128)])
def test_dimensions_of_the_papers(name, dimension):
    assert create_model(name, alpha=0.25).output_shape["embedding"] == (None, dimension)


def test_the_block_of_a_network_by_itself():
    assert "attention/how" in build_model("mobilenet", "how", alpha=0.25).output_shape
