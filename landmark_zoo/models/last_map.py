"""The feature map on which a classifier of dense layers stands."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone


def last_map(backbone: str, weights: str | Path | None = None, alpha: float | None = None) -> tf.keras.Model:
    """Makes a backbone that ends where its paper's dense layers begin: at C5, VGG-16's behind the fifth max-pooling.

    The backbone of the zoo stops before that pooling (Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015,
    configuration D).

    Returns:
        A model named as the backbone: preprocessed images [B, H, W, 3] to one map [B, H/32, W/32, C].
    """
    network = build_backbone(backbone, weights, alpha, taps=("C5",))
    features = network.output["C5"]
    if backbone == "vgg16":
        features = tf.keras.layers.MaxPooling2D(2, name="block5_pool")(features)
    return tf.keras.Model(network.input, features, name=backbone)
