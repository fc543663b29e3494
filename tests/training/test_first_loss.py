"""The loss of chance."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads import HEADS
from landmark_zoo.layers.l2_normalise import L2Normalise
from landmark_zoo.training.first_loss import expected_first_loss


def measured(name, dimension, classes, **arguments):
    """Mean cross-entropy over 20 random heads, of features that all point much the same way, and what was expected."""
    losses = []
    for seed in range(20):
        tf.keras.utils.set_random_seed(seed)
        vectors = tf.keras.Input([dimension])
        head = HEADS[name](classes, **arguments)
        embedding = L2Normalise()(vectors)
        model = tf.keras.Model(vectors, {"embedding": embedding, "logits": head(embedding)})
        random = np.random.default_rng(seed)
        features = np.abs(random.normal(size=(64, dimension))).astype(np.float32)
        labels = random.integers(0, classes, 64)
        losses.append(tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(
            labels, model(features)["logits"], from_logits=True)))
    return np.array(losses), expected_first_loss(model, head)


@pytest.mark.parametrize(("name", "dimension", "classes", "arguments"), [
    ("softmax", 64, 100, {}), ("cosine_softmax", 512, 1000, {"scale": 30.0}), ("arcface", 128, 50, {"scale": 16.0}),
    ("adacos", 256, 400, {}), ("cosine_softmax", 16, 200, {"scale": 8.0})])
def test_is_what_a_random_head_gives(name, dimension, classes, arguments):
    losses, (expected, tolerance) = measured(name, dimension, classes, **arguments)
    assert losses.mean() == pytest.approx(expected, abs=0.25)
    assert np.abs(losses - expected).max() < tolerance


def test_a_scale_far_too_large_for_the_dimension():
    """Then the largest of the logits alone counts; the figure is too high, but not by more than a quarter."""
    losses, (expected, _) = measured("arcface", 8, 50, scale=30.0)
    assert losses.mean() < expected < 1.25 * losses.mean()


def test_plain_softmax_of_embeddings_is_the_logarithm_of_their_number():
    assert measured("softmax", 64, 100)[1][0] == pytest.approx(math.log(100))


def test_where_it_cannot_be_said():
    assert measured("sub_centre_arcface", 64, 20)[1] is None
    vectors = tf.keras.Input([8])
    head = HEADS["softmax"](3)
    model = tf.keras.Model(vectors, {"embedding": L2Normalise()(vectors), "logits": head(vectors)})
    assert expected_first_loss(model, head) is None
