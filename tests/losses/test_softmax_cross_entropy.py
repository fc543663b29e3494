"""Cross-entropy against loops."""

import math

import numpy as np
import pytest

from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy

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
