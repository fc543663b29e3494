"""The hidden layers of VGG-16."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models.dense_layers import dense_layers


@pytest.fixture(scope="module")
def dense():
    features = tf.keras.Input([None, None, 4])
    return tf.keras.Model(features, dense_layers(features, width=6))


def test_dense_layers_flatten_a_map_of_7_x_7_as_it_is(dense):
    features = np.random.default_rng(0).standard_normal((2, 7, 7, 4)).astype(np.float32)
    x = features.reshape(2, -1)
    for name in ("fc1", "fc2"):
        kernel, bias = dense.get_layer(name).get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    np.testing.assert_allclose(dense(features), x, rtol=1e-4, atol=1e-5)


def test_dense_layers_take_any_size(dense):
    assert [dense(np.ones((1, *size, 4), np.float32)).shape for size in ((1, 1), (3, 20))] == [(1, 6), (1, 6)]


def test_each_dense_layer_drops_half_of_its_units_in_training_only(dense):
    ones = np.ones((1, 8))
    for name in ("dropout1", "dropout2"):
        assert dense.get_layer(name).rate == 0.5
        np.testing.assert_array_equal(dense.get_layer(name)(ones), ones)
