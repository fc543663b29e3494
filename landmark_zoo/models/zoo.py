"""The names of the zoo."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.pooling import POOLING
from landmark_zoo.models.build import build_model
from landmark_zoo.models.networks import NETWORKS


def _zoo() -> Registry[Mapping[str, object]]:
    """Every `<backbone>`, pooled by its mean, `<backbone>_<attention>` and `<backbone>_<pooling>`, and whole networks.

    Where a paper has both a block and a network around it, the name is the network's (`resnet101_solar`); the block by
    itself is `<backbone>_<attention>_block`.
    """
    models: Registry[Mapping[str, object]] = Registry("model")
    for backbone in BACKBONES:
        models.add(backbone, {"backbone": backbone, "pooling": "spoc"})
        for attention in ATTENTION:
            suffix = f"{attention}_block" if attention in NETWORKS else attention
            models.add(f"{backbone}_{suffix}", {"backbone": backbone, "attention": attention})
        for pooling in POOLING:
            models.add(f"{backbone}_{pooling}", {"backbone": backbone, "pooling": pooling})
        for network in NETWORKS:
            row = NETWORKS[network]
            models.add(f"{backbone}_{network}", {"builder": row.builder, "backbone": backbone, **row.arguments})
    return models


MODELS = _zoo()


def list_models(pattern: str = "*") -> list[str]:
    """Returns the names of the zoo that match a shell pattern, e.g. "*_se"; digits sort as numbers."""
    return MODELS.list(pattern)


def create_model(name: str, **overrides) -> tf.keras.Model:
    """Builds a named model.

    Args:
        name: `<backbone>`, `<backbone>_<block>` or another of `list_models()`; an unknown one raises a `UserError` that
            names near ones.
        **overrides: Arguments of `build_model`, e.g. `embedding_dim=512, num_classes=29, weights="imagenet"`. One that is
            None leaves the default in force; `embedding_dim=0` leaves the embedding layer out.

    Returns:
        See `build_model`.
    """
    arguments = {**MODELS[name], **{key: value for key, value in overrides.items() if value is not None}}
    if arguments.get("embedding_dim") == 0:
        arguments["embedding_dim"] = None
    builder = arguments.pop("builder", build_model)
    if builder is not build_model and arguments.pop("placement", "end") != "end":
        raise UserError(f"placement 'end' for {name}", "another one", "Its attention stands where its paper puts it.")
    return builder(**arguments, name=name)
