"""The names of the zoo."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.pooling import POOLING
from landmark_zoo.models.build import build_model


def _zoo() -> Registry[Mapping[str, object]]:
    """Every `<backbone>_<attention>` and every `<backbone>_<pooling>` without attention."""
    models: Registry[Mapping[str, object]] = Registry("model")
    for backbone in BACKBONES:
        for attention in ATTENTION:
            models.add(f"{backbone}_{attention}", {"backbone": backbone, "attention": attention})
        for pooling in POOLING:
            models.add(f"{backbone}_{pooling}", {"backbone": backbone, "pooling": pooling})
    return models


MODELS = _zoo()


def list_models(pattern: str = "*") -> list[str]:
    """Returns the names of the zoo that match a shell pattern, e.g. "*_se"; digits sort as numbers."""
    return MODELS.list(pattern)


def create_model(name: str, **overrides) -> tf.keras.Model:
    """Builds a named model.

    Args:
        name: `<backbone>_<block>`, one of `list_models()`; an unknown one raises a `UserError` that names near ones.
        **overrides: Arguments of `build_model`, e.g. `embedding_dim=512, num_classes=29, weights="imagenet"`. One that is
            None leaves the default in force; `embedding_dim=0` leaves the embedding layer out.

    Returns:
        See `build_model`.
    """
    arguments = {**MODELS[name], **{key: value for key, value in overrides.items() if value is not None}}
    if arguments.get("embedding_dim") == 0:
        arguments["embedding_dim"] = None
    return build_model(**arguments, name=name)
