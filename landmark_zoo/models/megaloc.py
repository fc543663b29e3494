"""MegaLoc (Berton and Masone: MegaLoc: One Retrieval to Place Them All, CVPR Workshops 2025): DINOv2 with optimal-transport
aggregation, trained for landmarks, places and localization at once; and the file of its authors' weights.

Settings from the authors' code (gmberton/MegaLoc, MIT).
"""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import dinov2
from landmark_zoo.backbones.weight_files.assign import assign_tensors, weights_by_path
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.models.build import build_model

BACKBONE, DIMENSION = "dinov2b14", 8448
AGGREGATION = {"clusters": 64, "cluster_dim": 256, "token_dim": 256, "hidden": 512, "dropout": 0.3}
SIDE = 322
"""Pixels of both sides of the images in the authors' tests, which do not keep the aspect ratio."""


def build_megaloc(num_classes: int | None = None, *, weights: str | Path | None = None, alpha: float | None = None,
                  embedding_dim: int | None = DIMENSION, head: str = "arcface", head_arguments: dict | None = None,
                  attention: str | None = None, attention_arguments: dict | None = None,
                  name: str = "megaloc") -> tf.keras.Model:
    """Builds the network: DINOv2 B/14, SALAD of 64 clusters and a token of 256 channels each, a linear layer, length 1.

    `build_model("dinov2b14", pooling="salad", embedding_dim=8448)` with wider clusters; it trains as that does. Any image
    from 32 pixels is taken, see `backbones.dinov2`. Up to 64 patches (about 112 x 112 pixels) the authors' code has no
    answer, and the transport is that of `layers.SALAD`.

    Args:
        num_classes: N; None builds no head.
        weights: None (random), or the authors' file (`model.safetensors` of gberton/MegaLoc). A file of DINOv2 alone is for
            the model "dinov2b14_salad".
        alpha: Must be None: the network has one width.
        embedding_dim: D; with weights 8448, which is theirs, or None for the 16,640 numbers before the linear layer.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.
        attention: A name of `ATTENTION`, put between the patches and their aggregation; it starts at random.
        attention_arguments: Arguments of the attention layer's constructor.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" [B, h, w, 768], "logits" float32 [B, N] where there is a head.

    Raises:
        UserError: Another dimension than that of the weights, a width, or a file that is absent or another one.

    Example:
        >>> model = build_megaloc(weights="model.safetensors")  # doctest: +SKIP
        >>> model(tf.zeros([1, 322, 322, 3]))["embedding"].shape  # doctest: +SKIP
        TensorShape([1, 8448])
    """
    if weights is not None and embedding_dim not in (None, DIMENSION):
        raise UserError(f"embedding_dim {DIMENSION} for the weights of megaloc, or 0 for what its linear layer takes",
                        str(embedding_dim), f"Give --embedding_dim={DIMENSION}.")
    tensors = None if weights is None else read_state_dict(_existing(weights))
    model = build_model(BACKBONE, attention, "salad", embedding_dim, head, num_classes, alpha=alpha,
                        attention_arguments=attention_arguments, pooling_arguments=AGGREGATION,
                        head_arguments=head_arguments, name=name)
    if tensors is not None:
        load_megaloc(model, tensors, weights)
    return model


def load_megaloc(model: tf.keras.Model, tensors: dict, path: str | Path) -> None:
    """Fills a model with the tensors of the authors' file, `backbone.*` and `aggregator.*`.

    Args:
        model: DINOv2 and SALAD, and an embedding layer or none, made by `build_model`; what stands elsewhere stays.
        tensors: Tensors by name, as `read_state_dict` returns them.
        path: File that the tensors come from, for the message.

    Raises:
        UserError: A tensor that is absent, of another shape, or for which there is no layer.
    """
    network = next(layer for layer in model.layers if isinstance(layer, tf.keras.Model))
    names = dict.fromkeys(layer for layer, _ in weights_by_path(model))
    names |= dinov2.torch_names(network, ("backbone.cls_token",)) | {"salad": "aggregator.agg"}
    projected = "embedding" in names
    assign_tensors(model, tensors, {**names, **({"embedding": "aggregator.linear"} if projected else {})}, path,
                   unused=() if projected else ("aggregator.linear",))


def describe_megaloc(weights: str | Path) -> dict[str, str]:
    """Returns where the weights of the network come from, for the facts of a run and the card of an export."""
    path = _existing(weights)
    return {"pretrained": path.name, "pretrained_sha256": sha256(path)}


def _existing(weights: str | Path) -> Path:
    path = Path(weights)
    if not path.is_file():
        raise UserError("the authors' file of MegaLoc, model.safetensors of gberton/MegaLoc",
                        f"{path}, which does not exist", "Correct --weights.")
    return path
