"""A versioned SavedModel folder, written whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import atomic_directory
from landmark_zoo.serving.card_notes import CardNotes
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.model_card import model_card, write_card
from landmark_zoo.serving.signatures import Signatures


def write_saved_model(embedder: Embedder, directory: str | Path, info: Mapping[str, object],
                      notes: CardNotes | None = None) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, with its model card.

    Args:
        embedder: What the signatures stand on.
        directory: `<name>` of the model.
        info: More facts for the `info` signature.
        notes: For the model card (`card.json`, `README.md`); without them none is written.

    Returns:
        The folder of the new version.
    """
    directory = Path(directory)
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdecimal()]
    path = directory / str(max(versions, default=0) + 1)
    info = {"name": directory.name, **info}
    module = Signatures(embedder, info)
    with atomic_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=module.functions())
        if notes is not None:
            megabytes = sum(file.stat().st_size for file in temporary.rglob("*") if file.is_file()) / 1e6
            write_card(temporary, model_card(module, info, path.name, megabytes, notes))
    return path
