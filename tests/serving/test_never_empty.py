"""Empty batches."""

import pytest
import tensorflow as tf

from landmark_zoo.serving.never_empty import never_empty


def means(images):
    tf.debugging.assert_positive(tf.size(images))
    return {"mean": tf.reduce_mean(images, [1, 2])}


@pytest.mark.parametrize("size", [(0, 0), (40, 50)])
def test_no_pictures_no_rows(size):
    assert never_empty(means, tf.zeros([0, *size, 3]))["mean"].shape == (0, 3)


def test_pictures_go_through_unchanged():
    images = tf.random.stateless_uniform([2, 4, 5, 3], [0, 0])
    assert tf.reduce_all(never_empty(means, images)["mean"] == means(images)["mean"])
