"""The named models."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model, list_models
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
        assert name == f"{MODELS[name]['backbone']}_{block}"
