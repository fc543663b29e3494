"""Writes a SavedModel."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import atomic_directory
from landmark_zoo.serving.signatures import Signatures


def export_saved_model(model: tf.keras.Model, directory: str | Path, *, side: int, info: Mapping[str, object]) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, all of it or nothing.

    Args:
        model: Images [B, H, W, 3] (RGB, 0..255) to a dict with "embedding" [B, D].
        directory: `<name>` of the model.
        side: Pixels of the longer side to which `serving_default` brings every picture.
        info: More facts for the `info` signature.

    Returns:
        The folder of the new version.
    """
    directory = Path(directory)
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdigit()]
    path = directory / str(max(versions, default=0) + 1)
    facts = {"name": directory.name, "dimension": model.output_shape["embedding"][-1], "scales": [1.0], "side": side,
             "resize": f"longer side to {side} pixels, antialiased", "aggregation": "none", "whitening": "none",
             "whitening_learnt_on": "none", "preprocessing": "inside; RGB 0..255", **info}
    module = Signatures(model, side, facts)
    with atomic_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=module.functions())
    return path
