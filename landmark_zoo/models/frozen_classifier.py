"""Frozen ImageNet features and a classifier of dense layers."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.models.dense_layers import dense_layers
from landmark_zoo.models.embed_and_classify import embed_and_classify
from landmark_zoo.models.last_map import last_map


def build_frozen_classifier(backbone: str = "vgg16", num_classes: int | None = 27, *,
                            weights: str | Path | None = None, alpha: float | None = None, dense_units: int = 4096,
                            embedding_dim: int | None = None, head: str = "softmax",
                            head_arguments: dict | None = None, name: str | None = None) -> tf.keras.Model:
    """Builds the baseline of the 27-landmark study on GLDv1, there with VGG-16: only the dense layers learn.

    Backbone (frozen) -> 7 x 7 x C -> 4096 -> 4096 -> N, dropout behind both hidden layers. Pictures of any size: see
    `dense_layers`. Useful only with pretrained `weights`, since frozen random features stay random.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: N; 27 in the study. None builds no head.
        weights: The backbone's: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and ResNet-18.
        dense_units: Units of the hidden layers.
        embedding_dim: D; None takes the second hidden layer itself as the embedding.
        head: A name of `HEADS`; "softmax" is the study's.
        head_arguments: For the head's constructor.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "feature_map" [B, h, w, C], "embedding"
        float32 [B, D or dense_units] of length 1, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    network = last_map(backbone, weights, alpha)
    network.trainable = False
    features = network(Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images))
    outputs = embed_and_classify(dense_layers(features, dense_units), num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, {"feature_map": features, **outputs}, name=name or f"{backbone}_classifier")
