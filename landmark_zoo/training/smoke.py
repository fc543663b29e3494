"""The smallest run that still goes through every part of a recipe."""

import inspect
from collections.abc import Mapping

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.models.zoo import MODELS

MOST = {"epochs": 1, "batch_size": 8, "image_size": 96, "head_epochs": 1, "embedding_dim": 64, "query_size": 8,
        "pool_size": 48, "images_per_class": 4, "negatives": 5, "log_steps": 1}
STEPS, ALPHA, DENSE_UNITS = 4, 0.25, 64


def smoke_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Returns what must be changed in a recipe so that it runs in under three minutes on two cores.

    One epoch of four steps of 8 pictures (or two landmarks, or one tuple) at 96 px, an embedding of at most 64 dimensions
    that starts at random, dense layers of 64 units in place of VGG's 4096, and where no pretrained weights are given a
    backbone of a quarter of its width. What is smaller already stays. A model that starts from another run keeps its sizes.

    Args:
        settings: The flags of `experiments.train` by name.

    Returns:
        Flag name to new value, of those that change.
    """
    new = {name: min(settings[name], most) for name, most in MOST.items()}
    new |= {"steps_per_epoch": min(settings["steps_per_epoch"] or STEPS, STEPS), "image_sizes": "", "accumulate": 1}
    if settings["initial_run"]:
        del new["embedding_dim"]
    else:
        new |= {"initial_embedding": "random", **_narrow(settings)}
    if settings["sampler"] == "classes_by_images":
        new["batch_size"] = 2 * new["images_per_class"]
    elif settings["sampler"] == "mined_tuples":
        new["batch_size"] = 2 + new["negatives"]
    elif settings["accumulate"] > 1:
        new |= {"batch_size": 8, "accumulate": 2}
    return {name: value for name, value in new.items() if value != settings[name]}


def _narrow(settings: Mapping[str, object]) -> dict[str, object]:
    """Returns the widths of a model that has such."""
    row, narrow = MODELS[settings["model"]], {}
    if BACKBONES[row["backbone"]].has_width and not settings["weights"]:
        narrow["alpha"] = min(settings["alpha"] or 1.0, ALPHA)
    if "builder" in row and "dense_units" in inspect.signature(row["builder"]).parameters:
        narrow["dense_units"] = min(settings["dense_units"] or DENSE_UNITS, DENSE_UNITS)
    return narrow
