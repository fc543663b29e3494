"""Preprocessing against Keras' own functions."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.preprocessing import Preprocessing, preprocess

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype(np.uint8)


@pytest.mark.parametrize(("mode", "keras"), [
    ("caffe", tf.keras.applications.resnet.preprocess_input),
    ("standard", lambda x: tf.keras.applications.imagenet_utils.preprocess_input(x, mode="torch")),
    ("symmetric", tf.keras.applications.mobilenet.preprocess_input)])
def test_equals_keras(mode, keras):
    np.testing.assert_allclose(preprocess(PIXELS, mode), keras(PIXELS.astype(np.float32).copy()), atol=1e-4)


@pytest.mark.slow
def test_efficientnet_ends_at_imagenet_statistics():
    """The network's own layers, filled as the published weight files are, undo what was put in front."""
    network = tf.keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(None, None, 3))
    normalization = next(layer for layer in network.layers if isinstance(layer, tf.keras.layers.Normalization))
    mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    normalization.set_weights([mean, std, np.array(0)])
    stem = tf.keras.Model(network.input, normalization.output)
    np.testing.assert_allclose(stem(preprocess(PIXELS, "efficientnet")), (PIXELS / 255 - mean) / std, atol=1e-4)


def test_efficientnet_lite():
    np.testing.assert_array_equal(preprocess(np.array([[[[0, 127, 255]]]], np.uint8), "efficientnet_lite"),
                                  [[[[-127 / 128, 0, 1]]]])


def test_float_and_integer_pixels_are_the_same():
    np.testing.assert_array_equal(preprocess(PIXELS, "caffe"), preprocess(PIXELS.astype(np.float32), "caffe"))


def test_contract(check_layer, tmp_path):
    check_layer(lambda **keras: Preprocessing("symmetric", **keras), PIXELS.astype(np.float32), tmp_path)


def test_unknown_mode():
    with pytest.raises(ValueError, match="expected mode in"):
        Preprocessing("torch")
