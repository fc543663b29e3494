"""Costs against published and hand-made counts."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models.complexity import multiply_accumulates


@pytest.mark.parametrize(("application", "millions"), [
    (tf.keras.applications.MobileNetV2, 300.77), (tf.keras.applications.MobileNet, 568.74)])
def test_published_networks(application, millions):
    model = application(weights=None)
    counted = multiply_accumulates(model, tf.TensorSpec([1, 224, 224, 3]))
    assert abs(counted / 1e6 - millions) < 0.01 * millions


def test_each_operation_by_hand():
    kernel = tf.ones([3, 3, 4, 8])
    cases = (
        (lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), 10 * 6 * 8 * 9 * 4),
        (lambda x: tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 4, 2]), [1, 1, 1, 1], "SAME"), 10 * 6 * 8 * 9),
        (lambda x: tf.nn.conv2d_transpose(x, tf.ones([3, 3, 2, 4]), [1, 20, 12, 2], 2), 10 * 6 * 4 * 9 * 2),
        (lambda x: tf.reshape(x, [60, 4]) @ tf.ones([4, 5]), 60 * 4 * 5),
        (lambda x: tf.matmul(tf.reshape(x, [2, 30, 4]), tf.reshape(x, [2, 30, 4]), transpose_a=True), 2 * 4 * 4 * 30),
        (lambda x: tf.einsum("bhwc,bijc->bhwij", x, x), 60 * 60 * 4),
        (lambda x: tf.einsum("bhwc->bc", x), 0),
    )
    for function, expected in cases:
        assert multiply_accumulates(function, tf.TensorSpec([1, 10, 6, 4])) == expected


def test_unknown_sizes_are_refused():
    model = tf.keras.layers.Conv2D(2, 3)
    model(np.zeros((1, 5, 5, 3), np.float32))
    with pytest.raises(ValueError, match="expected known shapes; received"):
        multiply_accumulates(model, tf.TensorSpec([1, None, None, 3]))
