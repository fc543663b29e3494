"""Folding of batch normalisation: where, where not, and that the numbers stay."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.serving.optimise.fold_batch_norm import fold_batch_norm
from landmark_zoo.serving.optimise.freeze import freeze
from tests.serving.optimise.conftest import shaken

X = np.random.default_rng(1).normal(size=[2, 9, 8, 3]).astype(np.float32)


def network(*layers):
    return shaken(tf.keras.Sequential([tf.keras.Input([None, None, 3]), *layers]))


def convolution(**options):
    return tf.keras.layers.Conv2D(5, 3, bias_initializer="random_normal", **options)


@pytest.mark.parametrize(("layers", "folded"), [
    ([convolution(use_bias=False)], 1),
    ([convolution(strides=2, padding="same")], 1),
    ([tf.keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)], 1),
    ([tf.keras.layers.DepthwiseConv2D(3, bias_initializer="random_normal")], 1),
    ([convolution(activation="relu")], 0),
    ([], 0)])
def test_a_convolution_takes_the_normalisation_in(save, outputs, layers, folded):
    layers = [type(layer).from_config(layer.get_config()) for layer in layers]
    model = network(*layers, tf.keras.layers.BatchNormalization(epsilon=0.01), tf.keras.layers.ReLU())
    saved = save(lambda x: model(x, training=False), [None, None, None, 3], model.variables)
    frozen = freeze(saved)
    assert fold_batch_norm(frozen) == folded
    expected, found = outputs(frozen, saved, X)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_convolution_that_is_read_twice_is_left(save, outputs):
    first, normalisation = convolution(), tf.keras.layers.BatchNormalization()

    def function(x):
        before = first(x)
        return tf.concat([normalisation(before, training=False), before], -1)

    function(X)
    saved = save(function, [None, None, None, 3], [*first.variables, *normalisation.variables])
    frozen = freeze(saved)
    assert fold_batch_norm(frozen) == 0
    expected, found = outputs(frozen, saved, X)
    np.testing.assert_allclose(found, expected, atol=1e-6)
