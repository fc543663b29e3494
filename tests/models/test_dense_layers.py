"""The two halves of VGG-16."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.vgg16_layers import vgg16_convolutions, vgg16_dense_layers


def test_convolutions_are_those_of_keras_with_all_five_poolings():
    ours, keras = vgg16_convolutions(), tf.keras.applications.VGG16(include_top=False, weights=None)
    ours.set_weights(keras.get_weights())
    images = np.random.default_rng(0).uniform(-100, 100, (1, 70, 45, 3)).astype(np.float32)
    assert ours.count_params() == 14_714_688
    assert ours(images).shape == (1, 2, 1, 512)
    np.testing.assert_allclose(ours(images), keras(images), rtol=1e-5)


def test_one_width_only():
    with pytest.raises(UserError, match=r"no alpha for vgg16; received alpha=0\.5"):
        vgg16_convolutions(alpha=0.5)


@pytest.fixture(scope="module")
def dense():
    features = tf.keras.Input([None, None, 4])
    return tf.keras.Model(features, vgg16_dense_layers(features, width=6))


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
