"""Frozen BatchNorm."""

import numpy as np
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.training.batchnorm import freeze_batchnorm


def test_statistics_and_outputs_stay_in_training_mode():
    backbone = build_backbone("mobilenet", alpha=0.25)
    layers = [layer for layer in backbone.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    assert freeze_batchnorm(backbone) == len(layers) > 20
    images = np.random.default_rng(0).standard_normal((4, 64, 64, 3)).astype(np.float32)
    before = backbone.get_weights()
    training, inference = backbone(images, training=True)["C5"], backbone(images, training=False)["C5"]
    np.testing.assert_allclose(training, inference, rtol=1e-5)
    for left, right in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert not any("gamma" in variable.name or "beta" in variable.name for variable in backbone.trainable_variables)


def test_goes_into_models_inside():
    outer = tf.keras.Sequential([tf.keras.Input([None, None, 3]), tf.keras.layers.BatchNormalization(),
                                 tf.keras.Sequential([tf.keras.layers.BatchNormalization()])])
    assert freeze_batchnorm(outer) == 2
