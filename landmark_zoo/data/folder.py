"""Photographs that lie in one folder per landmark."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.photograph import SUFFIXES


def read_folder(roots: Sequence[str | Path]) -> Catalogue:
    """Reads folders of folders: whatever directly holds pictures, at any depth, is a landmark.

    The landmark's id is its folder's path below the root ("wonders/taj_mahal"), or the root's own name where the root
    itself holds pictures; equal ids below two roots are one landmark. A picture's id is its file name without suffix
    where that is unique over the collection, else its path below the root (with the root's name in front where there
    are several roots). Names that begin with a dot are passed over.

    Args:
        roots: One folder or more.

    Raises:
        UserError: A root is no folder, or no picture lies in any.
    """
    roots = [Path(os.path.abspath(root)) for root in roots]
    found = [(root, path) for root in roots for path in pictures_below(root)]
    source = ", ".join(map(str, roots))
    if not found:
        raise UserError(f"pictures ({' '.join(SUFFIXES)}) in folders below {source}", "none", "Check the path.")
    stems = Counter(path.stem for _, path in found)
    entries = []
    for root, path in found:
        below = path.relative_to(root if len(roots) == 1 else root.parent).as_posix()
        landmark = path.parent.relative_to(root).as_posix()
        entries.append(Entry(id=path.stem if stems[path.stem] == 1 else below, path=str(path),
                             landmark_id=root.name if landmark == "." else landmark))
    return Catalogue(tuple(entries), source)


def pictures_below(root: Path) -> Iterator[Path]:
    """Yields the paths of the pictures below a folder, folder by folder, in the order of their names.

    Names that begin with a dot are passed over, and links are followed once.

    Raises:
        UserError: No folder there.
    """
    if not root.is_dir():
        raise UserError(f"a folder at {root}", "a file" if root.exists() else "nothing", "Check the path.")
    seen = set()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)
