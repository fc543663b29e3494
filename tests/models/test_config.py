"""What is trained, as a record."""

import dataclasses
import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.config import ModelConfig


def test_builds_what_it_says():
    model = ModelConfig("mobilenet_se", embedding_dim=16, alpha=0.25, margin=0.1, scale=12.0).build(7)
    head = model.get_layer("arcface")
    assert (head.margin, head.scale, head.num_classes) == (0.1, 12.0, 7)
    assert model.output_shape["embedding"] == (None, 16)
    assert "logits" not in ModelConfig("mobilenet_gem", alpha=0.25).build().output_shape


def test_round_trip_with_a_placement():
    config = ModelConfig("mobilenet_se", alpha=0.25, placement="stages")
    again = ModelConfig(**json.loads(json.dumps(dataclasses.asdict(config))))
    assert again == config
    assert "attention/se_c3/se" in again.build().output_shape
    assert "attention/se" in ModelConfig("mobilenet_se", alpha=0.25).build().output_shape


def test_unknown_head():
    with pytest.raises(UserError, match="a known head"):
        ModelConfig(head="tail").build(7)


def test_another_pooling():
    model = ModelConfig("mobilenet_se", alpha=0.25, embedding_dim=16, pooling="mac").build()
    assert model.get_layer("mac").output_shape == (None, 256)


def test_attention_branch_network_with_a_bottleneck():
    model = ModelConfig("mobilenet_abn", alpha=0.25, bottleneck=2, mechanism="product").build(7)
    branch = model.get_layer("attention_branch")
    assert (branch.bottleneck, branch.mechanism) == (2, "product")


@pytest.mark.parametrize("settings", [
    {"model": "mobilenet_gem", "pooling": "mac"}, {"model": "mobilenet_se", "bottleneck": 3},
    {"model": "mobilenet_abn", "pooling": "mac"}])
def test_a_setting_that_the_model_does_not_have(settings):
    with pytest.raises(UserError, match=f"no --{list(settings)[1]} for {settings['model']}, whose name or paper settles it"):
        ModelConfig(**settings).build(7)


def test_no_head():
    assert "logits" not in ModelConfig("mobilenet_gem", alpha=0.25, head="none").build(7).output_shape
