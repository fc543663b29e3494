"""What is trained, as a record."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.config import ModelConfig


def test_builds_what_it_says():
    model = ModelConfig("mobilenet_se", embedding_dim=16, alpha=0.25, margin=0.1, scale=12.0).build(7)
    head = model.get_layer("arcface")
    assert (head.margin, head.scale, head.num_classes) == (0.1, 12.0, 7)
    assert model.output_shape["embedding"] == (None, 16)
    assert "logits" not in ModelConfig("mobilenet_gem", alpha=0.25).build().output_shape


def test_unknown_head():
    with pytest.raises(UserError, match="a known head"):
        ModelConfig(head="tail").build(7)
