"""The pictures below a folder, one after another."""

import hashlib
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import pictures_below
from landmark_zoo.data.photograph import SUFFIXES
from landmark_zoo.retrieval.picture import Picture


def folder_pictures(root: str | Path) -> Iterator[Picture]:
    """Yields the pictures below a folder with the ids that `data.folder.read_folder` gives them.

    The id is the file's name without suffix where no other picture has it, else the path below the folder. The folder is
    walked twice: first for the names, of which eight bytes each are kept.

    Args:
        root: The folder.

    Raises:
        UserError: No folder there, or one without pictures.
    """
    root = Path(root).absolute()
    hashes = np.frombuffer(array("Q", (_hash(path.stem) for path in pictures_below(root))), np.uint64)
    if not len(hashes):
        raise UserError(f"pictures ({' '.join(SUFFIXES)}) in folders below {root}", "none", "Check the path.")
    values, counts = np.unique(hashes, return_counts=True)
    several = set(values[counts > 1].tolist())
    for path in pictures_below(root):
        yield Picture(path.relative_to(root).as_posix() if _hash(path.stem) in several else path.stem, path)


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest(), "big")
