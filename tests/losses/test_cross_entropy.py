import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.losses.cross_entropy import (
    attention_branch_loss,
    class_weights,
    delg_loss,
    softmax_cross_entropy,
)

LOGITS = np.random.default_rng(0).normal(scale=4, size=(5, 7)).astype(np.float32)
LABELS = np.array([0, 6, 3, 3, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_equals_loops(smoothing):
    loss = softmax_cross_entropy(LABELS, LOGITS, smoothing)
    for row, label in enumerate(LABELS):
        total = math.log(sum(math.exp(x) for x in LOGITS[row]))
        targets = [(1 - smoothing) * (c == label) + smoothing / 7 for c in range(7)]
        np.testing.assert_allclose(loss[row], sum(t * (total - x) for t, x in zip(targets, LOGITS[row], strict=True)),
                                   rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_class_weights_multiply_the_rows_of_their_label(smoothing):
    weights = np.linspace(0, 3, 7)
    plain = softmax_cross_entropy(LABELS, LOGITS, smoothing)
    np.testing.assert_allclose(softmax_cross_entropy(LABELS, LOGITS, smoothing, weights), weights[LABELS] * plain, rtol=1e-6)


def test_equal_class_weights_change_nothing():
    """No division by their sum in the batch: the loss of one picture does not depend on the others."""
    weights = np.linspace(0.5, 1.5, 7)
    together = softmax_cross_entropy(LABELS, LOGITS, class_weights=weights)
    np.testing.assert_allclose(softmax_cross_entropy(LABELS[:1], LOGITS[:1], class_weights=weights), together[:1], rtol=1e-6)
    np.testing.assert_array_equal(softmax_cross_entropy(LABELS, LOGITS, class_weights=np.ones(7)),
                                  softmax_cross_entropy(LABELS, LOGITS))


def test_half_precision_logits_do_not_overflow():
    assert np.isfinite(softmax_cross_entropy(np.array([1]), np.array([[6e4, -6e4]], np.float16))).all()


def test_smoothing_out_of_range():
    with pytest.raises(ValueError, match="0 <= label_smoothing < 1; received 1"):
        softmax_cross_entropy(LABELS, LOGITS, 1)


def test_worked_out_by_hand():
    plain = [1 / math.log(2), 1 / math.log(4), 1 / math.log(101)]
    np.testing.assert_allclose(class_weights([1, 3, 100]), np.array(plain) / np.mean(plain), rtol=1e-6)
    np.testing.assert_allclose(class_weights([1, 4], "inverse"), [1.6, 0.4], rtol=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30).filter(any), st.sampled_from(["inverse_log", "inverse"]))
def test_mean_one_and_rare_before_common(counts, kind):
    weights, counts = class_weights(counts, kind), np.array(counts)
    assert weights.dtype == np.float32
    assert weights[counts > 0].mean() == pytest.approx(1, rel=1e-5)
    assert not weights[counts == 0].any()
    ordered = weights[counts > 0][np.argsort(counts[counts > 0], kind="stable")]
    assert (np.diff(ordered) <= 1e-6).all()


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2], [[1, 2]]])
def test_impossible_counts(counts):
    with pytest.raises(ValueError, match=r"expected counts \[N\] of 0 or more, one at least above 0; received"):
        class_weights(counts)


def test_unknown_kind():
    with pytest.raises(ValueError, match="expected kind 'inverse_log' or 'inverse'; received 'log'"):
        class_weights([1], "log")


RANDOM = np.random.default_rng(0)
ATTENTION, PERCEPTION = RANDOM.normal(scale=4, size=(2, 5, 7)).astype(np.float32)


def cross_entropy_by_loops(row, label, smoothing=0.0):
    total = math.log(sum(math.exp(x) for x in row))
    return sum(((1 - smoothing) * (c == label) + smoothing / len(row)) * (total - x) for c, x in enumerate(row))


@pytest.mark.parametrize(("alpha", "beta", "smoothing"), [(1, 1, 0), (0.25, 1, 0), (0, 1, 0), (0.3, 0.7, 0.1)])
def test_attention_branch_loss_equals_loops(alpha, beta, smoothing):
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


def test_attention_branch_loss_half_precision_logits_do_not_overflow():
    wide = np.array([[6e4, -6e4]], np.float16)
    assert np.isfinite(attention_branch_loss(np.array([1]), wide, wide)).all()


@pytest.mark.parametrize("weights", [{"alpha": -0.1}, {"beta": -1}])
def test_negative_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"expected alpha >= 0 and beta >= 0; received .*-"):
        attention_branch_loss(LABELS, ATTENTION, PERCEPTION, **weights)


GLOBAL, MAP_LOSSES, ERRORS = np.random.default_rng(0).uniform(0, 3, (3, 5)).astype(np.float32)


@pytest.mark.parametrize("weights", [(), (0.5, 2.0), (0, 0)])
def test_equals_a_loop(weights):
    beta, reconstruction = weights or (1, 10)
    losses = delg_loss(GLOBAL, MAP_LOSSES, ERRORS, *weights)
    for row, loss in enumerate(losses):
        np.testing.assert_allclose(loss, GLOBAL[row] + beta * MAP_LOSSES[row] + reconstruction * ERRORS[row], rtol=1e-6)


def test_half_precision_does_not_overflow():
    large = np.full(2, 6e4, np.float16)
    losses = delg_loss(large, large, large)
    assert losses.dtype == tf.float32
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("weights", [{"attention_weight": -1}, {"reconstruction_weight": -0.1}])
def test_delg_loss_negative_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"expected attention_weight >= 0 and .* >= 0; received .*-"):
        delg_loss(GLOBAL, MAP_LOSSES, ERRORS, **weights)
