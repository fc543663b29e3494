"""VGG-16 with frozen ImageNet features and a classifier of its own."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.models.embed_and_classify import embed_and_classify
from landmark_zoo.models.vgg16_layers import vgg16_convolutions, vgg16_dense_layers


def build_vgg16_classifier(num_classes: int | None = 27, *, weights: str | Path | None = None,
                           alpha: float | None = None, width: int = 4096, embedding_dim: int | None = None,
                           head: str = "softmax", head_arguments: dict | None = None,
                           name: str = "vgg16_classifier") -> tf.keras.Model:
    """Builds the baseline of the 27-landmark study on GLDv1: only the dense layers learn.

    Convolutions (frozen) -> 7 x 7 x 512 -> 4096 -> 4096 -> N, dropout behind both hidden layers. Pictures of any size: see
    `vgg16_dense_layers`. Useful only with pretrained `weights`, since frozen random features stay random.

    Args:
        num_classes: N; 27 in the study. None builds no head.
        weights: Of the convolutions: None, "imagenet", file, folder or address.
        alpha: Must be None; VGG-16 has one width.
        width: Units of the hidden layers.
        embedding_dim: D; None takes the second hidden layer itself as the embedding.
        head: A name of `HEADS`; "softmax" is the study's.
        head_arguments: For the head's constructor.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "feature_map" [B, h, w, 512], "embedding"
        float32 [B, D or width] of length 1, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    convolutions = vgg16_convolutions(weights, alpha)
    convolutions.trainable = False
    features = convolutions(Preprocessing("caffe", name="preprocessing")(images))
    outputs = embed_and_classify(vgg16_dense_layers(features, width), num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, {"feature_map": features, **outputs}, name=name)
