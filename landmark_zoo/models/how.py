"""HOW (Tolias, Jenicek, Chum: Learning and Aggregating Deep Local Descriptors for Instance-Level Recognition,
ECCV 2020; settings from the authors' code)."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.how import HOW, L2Attention
from landmark_zoo.layers.embedding import WhiteningReduction
from landmark_zoo.layers.pooling.global_pooling import SPoC
from landmark_zoo.models.build import embed_and_classify

WITHOUT_LAST_STAGE = ("resnet50", "resnet101", "resnet50v15", "resnet101v15")


def build_how(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
              alpha: float | None = None, embedding_dim: int | None = 128, head: str = "arcface",
              head_arguments: dict | None = None, name: str | None = None, relative: bool = True) -> tf.keras.Model:
    """Builds the network whose local features are trained through one vector, their weighted sum.

    Features -> 3x3 means -> reduction to 128 channels, which does not learn -> times the length of the feature before the
    means -> sum over locations. ResNet-50 and ResNet-101 lose their last stage, as in the paper; the others keep it.

    The authors divide the lengths by their maximum over the whole batch, so that what an image gives depends on its
    batch. Here it is the image's own maximum, after normalisation the same embedding. The reduction is a random
    projection until the initialization of the training fits it to images; the paper does so before training, and trains with
    the contrastive loss without a head.

    Args:
        backbone: A name of `BACKBONES`; resnet18 or resnet50 in the paper.
        num_classes: N; None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        embedding_dim: D, channels that the reduction leaves; None leaves the reduction out.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.
        relative: Divide the lengths by their maximum in the image. Without it the sums of several scales add up to one
            vector, as in the authors' test, where a maximum of all scales divides them.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" float32 [B, h, w, D], which is summed, "attention/how" [B, h, w, 1], 0..1, "local_features" float32
        [B, h, w, D], not normalised, "logits" float32 [B, N].

    Raises:
        UserError: More dimensions than channels.
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    tap = "C4" if backbone in WITHOUT_LAST_STAGE else "C5"
    features = build_backbone(backbone, weights, alpha, taps=(tap,))(pixels)[tap]
    _check_dimension(embedding_dim, features.shape[-1], name or f"{backbone}_how")
    _, maps = HOW(return_maps=True, name="how")(features)
    reduced = tf.keras.layers.AveragePooling2D(3, 1, "same", name="smoothing")(features)
    if embedding_dim is not None:
        reduced = WhiteningReduction(embedding_dim, name="whitening")(reduced)
    lengths = maps["how"] if relative else L2Attention(name="lengths")(features)
    weighted = tf.keras.layers.Multiply(dtype="float32", name="weighted")([lengths, reduced])
    outputs = {"feature_map": weighted, "attention/how": maps["how"],
               "local_features": tf.keras.layers.Activation("linear", dtype="float32", name="local_features")(reduced)}
    outputs |= embed_and_classify(SPoC(name="sum")(weighted), num_classes, head=head, head_arguments=head_arguments)
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_how")


def _check_dimension(dimension: int | None, channels: int, name: str) -> None:
    if dimension is not None and dimension > channels:
        raise UserError(f"an embedding_dim of at most {channels} for {name}, whose features have so many channels",
                        str(dimension), "Lower it; 128 is the paper's.")
