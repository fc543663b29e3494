"""CosFace against the paper's formula."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads import CosFace
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = np.array([0, 2, 1, 2])


def test_cross_entropy_worked_out_by_hand():
    head = CosFace(2, margin=0.35, scale=30.0)
    logits = 30 * tf.constant([[0.5, 0.2]])
    loss = softmax_cross_entropy(tf.constant([0]), head.training_logits(logits, tf.constant([0])))
    np.testing.assert_allclose(loss, [1.701413], rtol=1e-5)


def test_loss_of_loops():
    head = CosFace(3, margin=0.4, scale=20.0)
    loss = softmax_cross_entropy(LABELS, head.training_logits(head(EMBEDDINGS), LABELS))
    unit = head.kernel.numpy().T / np.linalg.norm(head.kernel, axis=1)
    for row, label in enumerate(LABELS):
        cosines = [float(EMBEDDINGS[row] @ unit[:, c]) / np.linalg.norm(EMBEDDINGS[row]) for c in range(3)]
        logits = [20 * (cosine - 0.4 * (c == label)) for c, cosine in enumerate(cosines)]
        np.testing.assert_allclose(loss[row], math.log(sum(map(math.exp, logits))) - logits[label], rtol=1e-4)


def test_only_the_target_logit_changes():
    head = CosFace(5)
    changed = head.training_logits(head(EMBEDDINGS), LABELS).numpy() != head(EMBEDDINGS).numpy()
    np.testing.assert_array_equal(changed, np.arange(5) == LABELS[:, np.newaxis])


@pytest.mark.parametrize("margin", [-0.1, 2])
def test_margin_is_checked(margin):
    with pytest.raises(ValueError, match=f"expected 0 <= margin < 2; received {margin}"):
        CosFace(5, margin=margin)
