"""Batches in parts."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training.accumulate import mean_over_parts


@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_the_mean_of_the_parts_is_that_of_the_batch(parts):
    images = tf.random.stateless_normal([6, 2, 2, 3], [0, 1])
    labels = tf.range(6)

    def compute(images, labels):
        return tf.reduce_mean(images**2, axis=0), tf.reduce_mean(tf.cast(labels, tf.float32))

    zeros = [tf.zeros([2, 2, 3]), tf.zeros([])]
    call = tf.function(lambda images, labels: mean_over_parts(compute, images, labels, parts, zeros))
    for got, expected in zip(call(images, labels), compute(images, labels), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_each_picture_once_and_in_order():
    seen = []

    def compute(images, labels):
        tf.py_function(lambda labels: seen.append(labels.numpy().tolist()), [labels], [])
        return (tf.zeros([]),)

    tf.function(lambda: mean_over_parts(compute, tf.zeros([6, 1]), tf.range(6), 3, [tf.zeros([])]))()
    assert seen == [[0, 1], [2, 3], [4, 5]]
