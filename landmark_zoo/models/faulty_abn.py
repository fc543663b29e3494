"""The Attention Branch Network of the 27-landmark study on GLDv1, kept with its faults to show why it failed."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.adaptive_average_pooling import AdaptiveAveragePooling
from landmark_zoo.models.dense_layers import dense_layers
from landmark_zoo.models.embed_and_classify import embed_and_classify
from landmark_zoo.models.last_map import last_map

layers = tf.keras.layers


def build_faulty_abn(backbone: str = "vgg16", num_classes: int | None = 27, *, weights: str | Path | None = None,
                     alpha: float | None = None, attention_weight: float = 0.25, dense_units: int = 4096,
                     embedding_dim: None = None, head: str = "softmax", head_arguments: dict | None = None,
                     name: str | None = None) -> tf.keras.Model:
    """Builds the network whose loss cannot fall, in the study VGG-16; `build_attention_branch_network` is the sound one.

    The faults: both branches end in a softmax, and the cross-entropy takes its second of `logits` = 0.25 times the
    probabilities of one plus those of the other, at most 1.25, so that the loss of 27 classes stays above 2.13 of 3.30
    (ln(e^1.25 + 26) - 1.25); the weight lies on outputs, not on losses; the map multiplies without the residual; the mean
    of the attention branch has stride 1 and keeps 7 x 7 places. Not as there: Keras has no VGG-16 with BatchNorm (8,448
    parameters fewer), pixels are normalised as the weights want them, and a pooling to 7 x 7 lets in pictures of other
    sizes than 224.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: K.
        weights: The backbone's: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and ResNet-18.
        attention_weight: 0.25, or 0 as in the study's variant "one loss".
        dense_units: Units of the hidden layers.
        embedding_dim: Must be None; the embedding is the second hidden layer.
        head: Must be "softmax".
        head_arguments: Must be empty.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] to a dict: "logits" [B, K], which are no logits, "attention/abn" [B, 7, 7, 1],
        "feature_map" [B, 7, 7, C], "embedding" float32 [B, dense_units] of length 1.
    """
    name = name or f"{backbone}_abn_faulty"
    if embedding_dim is not None or head != "softmax" or head_arguments or num_classes is None:
        raise UserError(f"a number of classes, no embedding layer and the head softmax for {name}",
                        f"{num_classes}, {embedding_dim} and {head} {head_arguments or ''}",
                        "Set --embedding_dim=0 and --head=softmax.")
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    features = last_map(backbone, weights, alpha)(pixels)
    features = AdaptiveAveragePooling(7, name="features_7x7")(features)
    x = features
    for number in (1, 2):
        x = layers.Conv2D(features.shape[-1], 3, padding="same", name=f"attention_conv{number}")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="attention_bn")(x)
    responses = layers.Conv2D(num_classes, 1, activation="relu", name="responses")(x)
    x = layers.Conv2D(num_classes, 1, name="scores_conv")(responses)
    x = layers.AveragePooling2D(7, 1, name="scores_mean")(layers.ZeroPadding2D(3, name="scores_pad")(x))
    x = layers.Flatten(name="scores_flat")(x)
    scores = layers.Dense(num_classes, activation="softmax", dtype="float32", name="scores1")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="map_bn")(layers.Conv2D(1, 1, name="map")(responses))
    attention = layers.Activation("sigmoid", name="attention")(x)
    attended = layers.Multiply(name="attended")([features, attention])
    outputs = embed_and_classify(dense_layers(attended, dense_units), num_classes)
    outputs["logits"] = attention_weight * scores + layers.Softmax(dtype="float32", name="scores2")(outputs["logits"])
    return tf.keras.Model(images, {"attention/abn": attention, "feature_map": attended, **outputs}, name=name)
