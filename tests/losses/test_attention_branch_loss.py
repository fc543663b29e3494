"""The loss of two branches against loops, and what a softmax too many does to it."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.attention_branch_loss import attention_branch_loss

RANDOM = np.random.default_rng(0)
ATTENTION, PERCEPTION = RANDOM.normal(scale=4, size=(2, 5, 7)).astype(np.float32)
LABELS = np.array([0, 6, 3, 3, 1])


def cross_entropy_by_loops(row, label, smoothing=0.0):
    total = math.log(sum(math.exp(x) for x in row))
    return sum(((1 - smoothing) * (c == label) + smoothing / len(row)) * (total - x) for c, x in enumerate(row))


@pytest.mark.parametrize(("alpha", "beta", "smoothing"), [(1, 1, 0), (0.25, 1, 0), (0, 1, 0), (0.3, 0.7, 0.1)])
def test_equals_loops(alpha, beta, smoothing):
    loss = attention_branch_loss(LABELS, ATTENTION, PERCEPTION, alpha, beta, smoothing)
    for row, label in enumerate(LABELS):
        expected = (alpha * cross_entropy_by_loops(ATTENTION[row], label, smoothing)
                    + beta * cross_entropy_by_loops(PERCEPTION[row], label, smoothing))
        np.testing.assert_allclose(loss[row], expected, rtol=1e-5)


def test_equal_logits_cost_the_logarithm_of_the_classes():
    zeros = np.zeros((3, 27), np.float32)
    np.testing.assert_allclose(attention_branch_loss(np.arange(3), zeros, zeros), 2 * math.log(27), rtol=1e-6)


def test_probabilities_for_logits_stop_far_from_zero():
    """The fault of the VGG-16 network with 27 classes: its best possible loss, and that of honest logits."""
    certain = 100 * tf.one_hot([4], 27)
    assert float(attention_branch_loss([4], certain, certain)[0]) == 0
    once_too_often = attention_branch_loss([4], certain, tf.nn.softmax(certain), alpha=0.0)
    np.testing.assert_allclose(once_too_often, [math.log(math.e + 26) - 1], rtol=1e-6)
    assert float(once_too_often[0]) > 2.35


def test_half_precision_logits_do_not_overflow():
    wide = np.array([[6e4, -6e4]], np.float16)
    assert np.isfinite(attention_branch_loss(np.array([1]), wide, wide)).all()


@pytest.mark.parametrize("weights", [{"alpha": -0.1}, {"beta": -1}])
def test_negative_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"expected alpha >= 0 and beta >= 0; received .*-"):
        attention_branch_loss(LABELS, ATTENTION, PERCEPTION, **weights)
