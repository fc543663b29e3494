"""Costs that are added up equal those of the whole model."""

import pytest
import tensorflow as tf

from landmark_zoo.models import build_model
from landmark_zoo.models.complexity import multiply_accumulates
from landmark_zoo.models.costs import costs


@pytest.mark.parametrize(("attention", "pooling"), [("se", "gem"), (None, "rmac"), ("solar", "gem")])
def test_sum_of_the_parts(attention, pooling):
    added = costs("mobilenet", attention, pooling, 64, 96, 128)
    model = build_model("mobilenet", attention, pooling, embedding_dim=64)
    assert added.parameters == model.count_params()
    assert added.macs == multiply_accumulates(model, tf.TensorSpec([1, 96, 128, 3]))
    assert added.embedding == 64
