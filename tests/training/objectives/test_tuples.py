"""Losses on mined tuples."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.second_order_similarity import second_order_similarity
from landmark_zoo.losses.tuple_contrastive import tuple_contrastive_loss
from landmark_zoo.losses.tuple_triplet import tuple_triplet_loss
from landmark_zoo.training.objectives.tuples import Tuples

LABELS = tf.constant([0, 0, 1, 2] * 2)


def batch(*vectors):
    return np.array(vectors, np.float32)[:, None, None]


EASY = [(1, 0), (0.8, 0.6), (0, 1), (-1, 0)]
HARD = [(1, 0), (0, 1), (0.8, 0.6), (-1, 0)]


def test_two_tuples_by_hand(toy):
    """Squared distances .4 to the positive, 2 and 4 to the negatives; then 2 to the positive, .4 and 4."""
    objective = Tuples(toy(), lambda tuples: tuple_triplet_loss(tuples, 0.5), negatives=2)
    losses, correct = objective(batch(*EASY, *HARD), LABELS, training=True)
    np.testing.assert_allclose(losses, [0] * 4 + [2.1] * 4, rtol=1e-5)
    np.testing.assert_array_equal(correct, [1] * 4 + [0] * 4)


@pytest.mark.parametrize("weight", [10.0, 0.5])
def test_second_order_similarity_is_added(toy, weight):
    """2 and 4 from the query, .8 and 3.6 from the positive: the root of 1.2^2 + .4^2."""
    plain, solar = (Tuples(toy(), lambda tuples: tuple_contrastive_loss(tuples, 0.7), 2, value) for value in (0.0, weight))
    images = batch(*EASY)
    difference = solar(images, LABELS[:4], True)[0] - plain(images, LABELS[:4], True)[0]
    np.testing.assert_allclose(difference, [weight * 1.264911] * 4, rtol=1e-4)
    assert second_order_similarity(tf.constant([EASY], tf.float32)).numpy() == pytest.approx(1.264911, rel=1e-5)
