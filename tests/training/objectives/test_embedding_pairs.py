"""Losses on the pairs of a batch."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.contrastive import contrastive_loss
from landmark_zoo.training.objectives.classification import Classification
from landmark_zoo.training.objectives.embedding_pairs import EmbeddingPairs, nearest_is_alike

LABELS = tf.constant([0, 0, 1, 1])
LINEAR = functools.partial(contrastive_loss, margin=0.4, form="linear")


def test_by_hand(toy, pictures):
    """Cosines .8, 0, .6, .6, .96 and .8: (.2 + .2 + .36) / 2 / 6."""
    losses, correct = EmbeddingPairs(toy(), LINEAR)(pictures, LABELS, training=True)
    np.testing.assert_allclose(losses, [0.063333] * 4, rtol=1e-4)
    np.testing.assert_array_equal(correct, [1, 0, 1, 0])


@pytest.mark.parametrize("weight", [0.5, 0.2])
def test_with_cross_entropy(toy, pictures, weight):
    model = toy(2)
    classification = Classification(model, model.get_layer("arcface"))
    crosses, _ = classification(pictures, LABELS, training=True)
    losses, _ = EmbeddingPairs(model, LINEAR, classification, weight)(pictures, LABELS, training=True)
    np.testing.assert_allclose(losses, weight * crosses + (1 - weight) * 0.063333, rtol=1e-4)


def test_no_neighbour():
    one = tf.constant([[1.0, 0.0]])
    assert nearest_is_alike(one, tf.constant([3])).numpy() == [0]
    three = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    np.testing.assert_array_equal(nearest_is_alike(three, tf.constant([0, 1, 2])), [0, 0, 0])
