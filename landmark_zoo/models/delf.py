"""DELF (Noh, Araujo, Sim, Weyand, Han: Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017)."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.layers.attention.delf import DELF
from landmark_zoo.layers.l2_normalise import L2Normalise
from landmark_zoo.models.embed_and_classify import embed_and_classify


def build_delf(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
               alpha: float | None = None, embedding_dim: int | None = None, head: str = "softmax",
               head_arguments: dict | None = None, name: str | None = None) -> tf.keras.Model:
    """Builds the network that learns which locations of C4 speak for a landmark.

    C4 -> score times direction of each location -> mean over locations -> logits. The paper first trains the backbone
    as a classifier and then this network with the backbone fixed; nothing here keeps gradients from the backbone. Its
    40 dimensions of the local features are a PCA fitted after training.

    Args:
        backbone: A name of `BACKBONES`; resnet50 in the paper.
        num_classes: N; None builds no head.
        weights: The backbone's: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and ResNet-18.
        embedding_dim: D of an embedding layer, which the paper has not; None leaves it out.
        head: A name of `HEADS`; "softmax" is the paper's.
        head_arguments: For the head's constructor.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D or C] of length
        1, "feature_map" [B, h, w, C], whose mean is embedded, "attention/score" [B, h, w, 1] >= 0, "local_features"
        float32 [B, h, w, C] of length 1, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    features = build_backbone(backbone, weights, alpha, taps=("C4",))(pixels)["C4"]
    attended, maps = DELF(return_maps=True, name="delf")(features)
    vectors = tf.keras.layers.GlobalAveragePooling2D(dtype="float32", name="mean")(attended)
    outputs = {"feature_map": attended, "attention/score": maps["score"],
               "local_features": L2Normalise(name="local_features")(features)}
    outputs |= embed_and_classify(vectors, num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_delf")
