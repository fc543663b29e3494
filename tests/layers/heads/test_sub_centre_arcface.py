"""Sub-centre ArcFace: the nearest vector of each class counts."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads import ArcFace, SubCentreArcFace
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.models.complexity import multiply_accumulates

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = np.array([0, 2, 1, 2])


def test_loss_of_loops():
    head = SubCentreArcFace(3, margin=0.4, scale=20.0, sub_centres=2)
    loss = softmax_cross_entropy(LABELS, head.training_logits(head(EMBEDDINGS), LABELS))
    kernel = head.kernel.numpy().T
    for row, label in enumerate(LABELS):
        cosines = [max(float(EMBEDDINGS[row] @ kernel[:, k * 3 + c]) / np.linalg.norm(EMBEDDINGS[row])
                       / np.linalg.norm(kernel[:, k * 3 + c]) for k in range(2)) for c in range(3)]
        turned = [20 * math.cos(math.acos(c) + 0.4 * (j == label)) for j, c in enumerate(cosines)]
        np.testing.assert_allclose(loss[row], math.log(sum(map(math.exp, turned))) - turned[label], rtol=1e-4)


def test_either_sub_centre_will_do():
    head = SubCentreArcFace(2, scale=1.0, sub_centres=2)
    head.build([None, 2])
    head.kernel.assign([[1, 0], [0, 1], [-1, 0], [0, -1]])
    cosines = head(np.array([[-1, 0], [1, 0], [0, -3]], np.float32))
    np.testing.assert_allclose(cosines, [[1, 0], [1, 0], [0, 1]], atol=1e-6)


def test_one_sub_centre_is_arcface():
    head, arcface = SubCentreArcFace(5, sub_centres=1), ArcFace(5)
    logits = head(EMBEDDINGS)
    arcface.build(EMBEDDINGS.shape)
    arcface.set_weights(head.get_weights())
    np.testing.assert_allclose(arcface(EMBEDDINGS), logits, rtol=1e-6)
    np.testing.assert_allclose(arcface.training_logits(logits, LABELS), head.training_logits(logits, LABELS), rtol=1e-6)


def test_first_rows_are_one_vector_per_class():
    """Setting the first N rows to class means, as `pca_start` does, makes them what the class is recognised by."""
    head = SubCentreArcFace(4)
    head.build([None, 8])
    kernel = np.array(head.kernel)
    kernel[:4] = EMBEDDINGS
    head.kernel.assign(kernel)
    np.testing.assert_array_equal(np.argmax(head(EMBEDDINGS), axis=1), [0, 1, 2, 3])
    np.testing.assert_allclose(np.diag(head(EMBEDDINGS)), 30, rtol=1e-5)


def test_only_the_nearest_sub_centre_of_the_label_is_pulled():
    head = SubCentreArcFace(2, sub_centres=2)
    head.build([None, 2])
    head.kernel.assign([[1, 0.1], [0, 1], [-0.2, -1], [0.1, -1]])
    with tf.GradientTape() as tape:
        logits = head.training_logits(head(np.array([[1, 0.2]], np.float32)), [0])
        loss = logits[0, 0]
    moved = np.abs(tape.gradient(loss, head.kernel)).max(axis=1) > 0
    assert moved.tolist() == [True, False, False, False]


def test_costs():
    head = SubCentreArcFace(27)
    head.build([None, 512])
    assert head.count_params() == 3 * 512 * 27
    assert multiply_accumulates(head, tf.TensorSpec([1, 512])) == 3 * 512 * 27


def test_sub_centres_are_checked():
    with pytest.raises(ValueError, match="expected sub_centres >= 1; received 0"):
        SubCentreArcFace(5, sub_centres=0)
