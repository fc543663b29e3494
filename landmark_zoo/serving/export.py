"""Export of a model as a versioned SavedModel with its card."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import atomic_directory
from landmark_zoo.core.parallel import run_in_child_process
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.freeze import freeze
from landmark_zoo.serving.model_card import CardNotes, model_card, write_card
from landmark_zoo.serving.network import Embedder
from landmark_zoo.serving.signatures import Signatures


def write_saved_model(embedder: Embedder, directory: str | Path, info: Mapping[str, object],
                      notes: CardNotes | None = None, frozen: bool = False) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, with its model card.

    Args:
        embedder: Images to embeddings, and their facts.
        directory: `<name>` of the model.
        info: More facts for the `info` signature.
        notes: For the model card (`card.json`, `README.md`); without them none is written.
        frozen: Constants in place of variables (`freeze`).

    Returns:
        The folder of the new version.
    """
    directory = Path(directory)
    path = next_version(directory)
    info = {"name": directory.name, **info}
    module = Signatures(embedder, info)
    with atomic_directory(path) as temporary:
        if frozen:
            _save_frozen(module, temporary)
        else:
            tf.saved_model.save(module, str(temporary), signatures=module.functions())
        if notes is not None:
            megabytes = sum(file.stat().st_size for file in temporary.rglob("*") if file.is_file()) / 1e6
            images = tf.saved_model.load(str(temporary)).signatures["images"] if frozen else module.images
            write_card(temporary, model_card(module, info, path.name, megabytes, notes, images))
    return path


def next_version(directory: Path) -> Path:
    """Returns `directory/<version>`, one version higher than those there."""
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdecimal()]
    return directory / str(max(versions, default=0) + 1)


def _save_frozen(module: Signatures, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".variables.") as scratch:
        tf.saved_model.save(module, f"{scratch}/variables", signatures=module.functions())
        run_in_child_process(freeze, f"{scratch}/variables", f"{scratch}/frozen")
        shutil.copytree(f"{scratch}/frozen", folder, dirs_exist_ok=True)


def export_saved_model(model: tf.keras.Model, directory: str | Path, *, side: int, info: Mapping[str, object]) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, all of it or nothing.

    One scale, no whitening, no model card; `write_saved_model` takes embedders that have them.

    Args:
        model: Images [B, H, W, 3] (RGB, 0..255) to a dict with "embedding" [B, D].
        directory: `<name>` of the model.
        side: Longer side, in pixels, to which `serving_default` brings every image.
        info: More facts for the `info` signature.

    Returns:
        The folder of the new version.

    Example:
        >>> import tempfile
        >>> from landmark_zoo.models import build_model
        >>> model = build_model("mobilenet", "se", alpha=0.25, embedding_dim=16, num_classes=3)
        >>> export_saved_model(model, tempfile.mkdtemp() + "/small", side=64, info={}).name
        '1'
    """
    return write_saved_model(embedder_of(model, side), directory, info)
