"""The ways in which an exported model can be made faster."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from landmark_zoo.serving.optimise.fold_batch_norm import fold_batch_norm
from landmark_zoo.serving.optimise.freeze import freeze
from landmark_zoo.serving.optimise.half_precision import half_precision
from landmark_zoo.serving.optimise.write_frozen import write_frozen


class Variant(NamedTuple):
    """What is done to a model after its variables became constants.

    Attributes:
        fold: Whether batch normalisation becomes part of the convolutions.
        dtype: 16-bit type of the convolutions, or None for float32.
    """

    fold: bool
    dtype: tf.DType | None = None


VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    "cpu": {"frozen": Variant(fold=False), "folded": Variant(fold=True), "folded_bfloat16": Variant(True, tf.bfloat16)},
    "gpu": {"folded_bfloat16": Variant(True, tf.bfloat16), "folded_float16": Variant(True, tf.float16),
            "folded": Variant(fold=True)},
}
"""By target and name; the first to be taken come first where speed cannot be measured."""


def write_variant(saved_model: str | Path, path: str | Path, variant: Variant) -> dict[str, int]:
    """Writes a variant of a SavedModel; its signatures are those of the original.

    Args:
        saved_model: `<name>/<version>`.
        path: The folder to write, which does not exist yet.
        variant: What to do.

    Returns:
        "normalisations_folded" and "convolutions_in_16_bits", counted over all functions of the graph.

    Raises:
        UserError: No readable SavedModel, or one too large for a graph.
    """
    model = freeze(saved_model)
    counts = {"normalisations_folded": fold_batch_norm(model) if variant.fold else 0,
              "convolutions_in_16_bits": half_precision(model, variant.dtype) if variant.dtype else 0}
    write_frozen(model, path)
    return counts
