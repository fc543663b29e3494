"""Backbone, attention, pooling, embedding and head put together."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.heads import HEADS
from landmark_zoo.layers.l2_normalise import L2Normalise
from landmark_zoo.layers.pooling import POOLING


def build_model(backbone: str, attention: str | None = None, pooling: str = "gem", embedding_dim: int | None = 512,
                head: str = "arcface", num_classes: int | None = None, weights: str | Path | None = None,
                alpha: float | None = None, attention_arguments: dict | None = None,
                pooling_arguments: dict | None = None, head_arguments: dict | None = None,
                name: str | None = None) -> tf.keras.Model:
    """Builds a landmark model: images of any size to a dict of named outputs.

    Args:
        backbone: A name of `BACKBONES`.
        attention: A name of `ATTENTION`, put on the last feature map; None for none.
        pooling: A name of `POOLING`.
        embedding_dim: D; None leaves the embedding layer out, so that the embedding is the normalised pooled vector.
        head: A name of `HEADS`; used with `num_classes` only.
        num_classes: N; None builds no head.
        weights: The backbone's: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets.
        attention_arguments: For the attention layer's constructor.
        pooling_arguments: For the pooling's.
        head_arguments: For the head's.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, uint8 or float32, H and W >= 32) to a dict: "embedding" float32 [B, D]
        of length 1, "feature_map" [B, h, w, C] as pooled, "attention/<map>" for each attention map, "logits" float32 [B, N]
        (without margin) where there is a head.
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    features = build_backbone(backbone, weights, alpha, taps=("C5",))(pixels)["C5"]
    outputs = {}
    if attention is not None:
        block = ATTENTION[attention].create(return_maps=True, name=attention, **(attention_arguments or {}))
        features, maps = block(features)
        outputs |= {f"attention/{key}": value for key, value in maps.items()}
    pooled = POOLING[pooling](name=pooling, **(pooling_arguments or {}))(features)
    project = L2Normalise(name="embedding") if embedding_dim is None else EmbeddingLayer(embedding_dim, name="embedding")
    outputs |= {"feature_map": features, "embedding": project(pooled)}
    if num_classes is not None:
        outputs["logits"] = HEADS[head](num_classes, name=head, **(head_arguments or {}))(outputs["embedding"])
    return tf.keras.Model(images, outputs, name=name or "_".join(filter(None, (backbone, attention or pooling))))
