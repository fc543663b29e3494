"""The names of the zoo."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.pooling import POOLING
from landmark_zoo.models.attention_branch_network import build_attention_branch_network
from landmark_zoo.models.build import build_model
from landmark_zoo.models.faulty_vgg16_abn import build_faulty_vgg16_abn
from landmark_zoo.models.vgg16_classifier import build_vgg16_classifier


def _zoo() -> Registry[Mapping[str, object]]:
    """Every `<backbone>_<attention>`, every `<backbone>_<pooling>`, and the networks with builders of their own."""
    models: Registry[Mapping[str, object]] = Registry("model")
    for backbone in BACKBONES:
        for attention in ATTENTION:
            models.add(f"{backbone}_{attention}", {"backbone": backbone, "attention": attention})
        for pooling in POOLING:
            models.add(f"{backbone}_{pooling}", {"backbone": backbone, "pooling": pooling})
        models.add(f"{backbone}_abn", {"builder": build_attention_branch_network, "backbone": backbone})
    models.add("vgg16_classifier", {"builder": build_vgg16_classifier})
    models.add("vgg16_abn_faulty", {"builder": build_faulty_vgg16_abn})
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
    builder = arguments.pop("builder", build_model)
    if builder is not build_model and arguments.pop("placement", "end") != "end":
        raise UserError(f"placement 'end' for {name}", "another one", "Its attention stands where its paper puts it.")
    return builder(**arguments, name=name)
