"""SOLAR (Ng, Balntas, Tian, Mikolajczyk: SOLAR: Second-Order Loss and Attention for Image Retrieval, ECCV 2020; settings
from the authors' code)."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.surgery import insert_blocks
from landmark_zoo.layers.attention.solar import SecondOrderAttention
from landmark_zoo.layers.pooling.global_pooling import GeM
from landmark_zoo.models.build import embed_and_classify

REDUCTIONS = {"C4": 4, "C5": 2}


def build_solar(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
                alpha: float | None = None, embedding_dim: int | None = 2048, head: str = "arcface",
                head_arguments: dict | None = None, name: str | None = None) -> tf.keras.Model:
    """Puts second-order attention on C4, seen by the last stage, and on C5, in front of GeM and a whitening layer.

    Both blocks start as identity. GeM's power starts at 3 and is learnt, as in the paper, which trains only it, the two
    blocks and the whitening; here everything learns, and `backbone_multiplier` of the training slows the backbone down.
    With ArcFace a learnt power drifts towards 1; the paper's losses are triplet and second-order similarity, without a
    head.

    Args:
        backbone: A name of `BACKBONES`; resnet101 in the paper.
        num_classes: N; None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        embedding_dim: D; None leaves the embedding layer (the whitening) out.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" as pooled, "attention/solar_c4/solar" and "attention/solar_c5/solar" [B, h, w, 1], "logits" float32
        [B, N].
    """
    spec = BACKBONES[backbone]
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(spec.preprocessing, name="preprocessing")(images)
    blocks = {spec.taps[tap]: SecondOrderAttention(reduction, return_maps=True, name=f"solar_{tap.lower()}")
              for tap, reduction in REDUCTIONS.items()}
    outputs = insert_blocks(build_backbone(backbone, weights, alpha, taps=("C5",)), blocks)(pixels)
    features = outputs.pop("C5")
    vectors = GeM(trainable_p=True, name="gem")(features)
    outputs |= {"feature_map": features, **embed_and_classify(vectors, num_classes, embedding_dim, head, head_arguments)}
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_solar")
