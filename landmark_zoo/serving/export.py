"""Writes the SavedModel of a model of the zoo."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.serving.embedders.embedder_of import embedder_of
from landmark_zoo.serving.write_saved_model import write_saved_model


def export_saved_model(model: tf.keras.Model, directory: str | Path, *, side: int, info: Mapping[str, object]) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, all of it or nothing.

    One scale, no whitening, no model card; `write_saved_model` takes embedders that have them.

    Args:
        model: Images [B, H, W, 3] (RGB, 0..255) to a dict with "embedding" [B, D].
        directory: `<name>` of the model.
        side: Pixels of the longer side to which `serving_default` brings every picture.
        info: More facts for the `info` signature.

    Returns:
        The folder of the new version.
    """
    return write_saved_model(embedder_of(model, side), directory, info)
