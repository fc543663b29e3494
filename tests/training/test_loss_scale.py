"""The loss scale."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training import loss_scale
from landmark_zoo.training.loss_scale import LossScale


def test_halves_at_overflow_and_doubles_after_good_steps(monkeypatch):
    monkeypatch.setattr(loss_scale, "GROW_AFTER", 3)
    scale, seen = LossScale(), []
    for finite in (False, True, True, True, True, True, False, True):
        scale.update(tf.constant(finite))
        seen.append(float(scale.value) / 2**15)
    assert seen == [0.5, 0.5, 0.5, 1, 1, 1, 0.5, 0.5]


def test_unscales():
    scale = LossScale()
    scale.value.assign(4.0)
    gradient, = scale.unscale([tf.constant([8.0, 2.0], tf.float16)])
    assert gradient.dtype == tf.float32
    np.testing.assert_array_equal(gradient, [2.0, 0.5])


def test_gives_up_at_one():
    scale = LossScale()
    for _ in range(15):
        scale.update(tf.constant(False))
    assert float(scale.value) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        scale.update(tf.constant(False))
