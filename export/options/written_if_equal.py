"""A converted model that is written only when its embeddings are those of the original."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.serving.compared import compared


def written_if_equal(saved_model: Path, path: Path, write: Callable[[Path], None],
                     open_file: Callable[[Path], Callable[[np.ndarray], np.ndarray]], images: Sequence[np.ndarray],
                     least: float) -> float:
    """Converts to a temporary file, compares it with the SavedModel, renames it to `path`; returns the smallest cosine.

    Args:
        saved_model: `<name>/<version>`.
        path: The file to write.
        write: Converts to the path it is given.
        open_file: From a converted file to a function from images [1, H, W, 3] to embeddings [1, D].
        images: Pictures, float32 [1, H, W, 3] each.
        least: The smallest cosine that will do.

    Raises:
        UserError: The embeddings are not near enough; nothing is written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        cosine = compared(saved_model, open_file(temporary), images, least)
        os.replace(temporary, path)
    return cosine
