"""Image lists of folders (one folder per landmark) and of csv tables."""

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from landmark_zoo.core.errors import UserError, notify, printable
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.datasets.image_formats import OTHER_SUFFIXES, SUFFIXES, check_utf8, is_utf8, looks_like_image
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, report_missing


def read_folder(roots: Sequence[str | Path]) -> ImageList:
    """Reads folders of folders: every folder that directly holds images, at any depth, is a landmark.

    A landmark's id is its folder's path below the root ("wonders/taj_mahal"), or the root's own name where the root
    itself holds images; equal ids below two roots are one landmark. An image's id is its file name without suffix if that
    is unique over all roots, else its path below the root (with the root's name in front where there are several roots).
    Names that begin with a dot are ignored; whatever else gives no image is counted and said (`images_below`).

    Example:
        >>> import tempfile
        >>> root = tempfile.TemporaryDirectory()
        >>> for name in ("petra/1.jpg", "wonders/taj_mahal/2.jpg"):
        ...     path = Path(root.name, name)
        ...     path.parent.mkdir(parents=True)
        ...     path.touch()
        >>> [(entry.id, entry.landmark_id) for entry in read_folder([root.name])]
        [('1', 'petra'), ('2', 'wonders/taj_mahal')]

    Args:
        roots: One folder or more.

    Raises:
        UserError: A root is no folder, lies in another, holds no image, or holds folders of a split (train, test ...) in
            place of landmarks.
    """
    roots = [Path(os.path.abspath(root)) for root in roots]
    _check_apart(roots)
    source = ", ".join(map(str, roots))
    found = [(root, path) for root in roots for path in _images_of(root)]
    stems = Counter(path.stem for _, path in found)
    entries = []
    for root, path in found:
        below = path.relative_to(root if len(roots) == 1 else root.parent).as_posix()
        landmark = path.parent.relative_to(root).as_posix()
        entries.append(ImageEntry(id=path.stem if stems[path.stem] == 1 else below, path=str(path),
                                  landmark_id=root.name if landmark == "." else landmark))
    for root in roots:
        _check_no_splits(root, {path.parent.relative_to(root).as_posix() for other, path in found if other == root})
    return ImageList(tuple(entries), source)


def _check_apart(roots: Sequence[Path]) -> None:
    """Refuses a folder that is named twice, or lies in another one: its images would be read twice."""
    real = [os.path.realpath(root) for root in roots]
    for (first, root), (second, other) in itertools.permutations(zip(real, roots, strict=True), 2):
        if os.path.commonpath([first, second]) == first:
            raise UserError("folders of which none lies in another", f"{other} in {root}", "Leave one of them out.")


def _images_of(root: Path) -> list[Path]:
    tally = PassedOver(root)
    found = list(images_below(root, tally))
    if not found:
        raise UserError(f"images ({' '.join(SUFFIXES)}) in folders below {root}", f"none{f', but {tally}' if tally else ''}",
                        "Check the path.")
    tally.say()
    return found


class PassedOver:
    """Tally of the files and folders below a folder that give no image.

    Args:
        root: The folder.

    Attributes:
        root: The folder.
        counts: Reason to kind to number.
    """

    def __init__(self, root: Path):
        self.root = root
        self.counts: dict[str, Counter[str]] = {}
        self._first: dict[str, str] = {}

    def add(self, path: str, kind: str, reason: str) -> None:
        """Counts a path under its reason and, within that, its kind."""
        self.counts.setdefault(reason, Counter())[kind] += 1
        self._first.setdefault(reason, os.path.relpath(path, self.root))

    def add_file(self, path: str) -> None:
        """Counts a file that is not named like an image, under what would read it."""
        suffix = os.path.splitext(path)[1].lower()
        reason = OTHER_SUFFIXES.get(suffix)
        if reason is None:
            reason = _MISNAMED if looks_like_image(path) else _NO_IMAGE
        self.add(path, suffix if suffix and is_utf8(suffix) else "file without a suffix", reason)

    def __str__(self) -> str:
        return "; ".join(f"{', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))} ({reason}; first "
                         f"{printable(self._first[reason])})" for reason, kinds in self.counts.items())

    def __len__(self) -> int:
        return sum(kinds.total() for kinds in self.counts.values())

    def say(self) -> None:
        """Says at the end of the command what was passed over, if anything was."""
        if self:
            notify(f"Passed over below {self.root}: {self}")


_MISNAMED = f"images whose suffix is not one of {' '.join(SUFFIXES)}; rename them"
_NO_IMAGE = "no images"


def images_below(root: Path, passed_over: PassedOver | None = None) -> Iterator[Path]:
    """Yields the paths of the images below a folder, folder by folder, sorted by name.

    Names that begin with a dot are ignored, and links are followed once. Whatever else gives no image is counted.

    Args:
        root: The folder.
        passed_over: Tally to count in; None to say at the end of the command what was passed over.

    Raises:
        UserError: There is no such folder, or it may not be listed, or its name is not UTF-8.
    """
    if not root.is_dir():
        raise UserError(f"a folder at {root}", "a file" if root.exists() else "nothing", "Check the path.")
    check_utf8(root)
    tally = PassedOver(root) if passed_over is None else passed_over
    seen = set()
    for folder, below, names in os.walk(root, followlinks=True, onerror=partial(_not_listed, tally)):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up, or to what was read already
            tally.add(folder, "linked folder", "read already in another place")
            below.clear()
            continue
        seen.add(real)
        below[:] = _usable(folder, below, tally, "folder")
        names = _usable(folder, names, tally, "file")
        images = [name for name in names if name.lower().endswith(SUFFIXES)]
        for name in names if len(images) < len(names) else ():
            if not name.lower().endswith(SUFFIXES):
                tally.add_file(os.path.join(folder, name))
        if not images and not below and folder != str(root):
            tally.add(folder, "folder", "without an image")
        for name in images:
            yield Path(folder, name)
    if passed_over is None:
        tally.say()


def _not_listed(tally: PassedOver, error: OSError) -> None:
    reason = (error.strerror or str(error)).lower()
    if error.filename == str(tally.root):
        raise UserError(f"a folder that may be listed at {tally.root}", reason, "Check its rights.") from error
    tally.add(error.filename, "folder", f"cannot be listed: {reason}")


def _usable(folder: str, names: list[str], tally: PassedOver, kind: str) -> list[str]:
    """Returns the names that do not begin with a dot, sorted; those that are not UTF-8 are counted."""
    for name in names:
        if not is_utf8(name) and not name.startswith("."):
            tally.add(os.path.join(folder, name), kind, "names that are not UTF-8; rename them")
    return sorted(name for name in names if not name.startswith(".") and is_utf8(name))


_SPLITS = frozenset(("train", "training", "trainval", "val", "valid", "validation", "dev", "test", "testing", "index",
                     "gallery", "query", "queries"))


def _check_no_splits(root: Path, landmarks: Iterable[str]) -> None:
    """Refuses folders of a split beside each other, which would be taken for landmarks or for parts of their names.

    They have equal names but for one word of `_SPLITS`: train and val, training_set and test_set.
    """
    splits: dict[tuple[str, str], set[str]] = {}
    for landmark in landmarks:
        parts = landmark.split("/")
        for depth, part in enumerate(parts):
            words = re.split("([^a-z]+)", part.lower())
            if len(_SPLITS.intersection(words)) == 1:
                rest = "".join("*" if word in _SPLITS else word for word in words)
                splits.setdefault(("/".join(parts[:depth]), rest), set()).add(part)
    for (parent, _), names in splits.items():
        if len(names) > 1:
            folders = [os.path.normpath(root / parent / name) for name in sorted(names)]
            raise UserError(f"folders of landmarks in {os.path.normpath(root / parent)}",
                            f"{', '.join(sorted(names))}, the folders of a split: each landmark would become several",
                            f"Name one of them, or all ({','.join(folders)}) to read them as one collection in which equal "
                            "names are one landmark.")


TABLE_COLUMNS = ("id", "path", "landmark")


def read_table(table: str | Path, *, columns: Sequence[str] = TABLE_COLUMNS, strict: bool = False) -> ImageList:
    """Reads a comma-separated table with one line per image.

    Args:
        table: Path of the csv file; relative paths in it start from its folder.
        columns: Names of the columns of unique ids, file paths and landmarks.
        strict: Refuse a listed image that has no file; otherwise it goes into `missing`.

    Raises:
        UserError: The table or a column is missing, an id occurs twice, or (strict) an image has no file.
    """
    if len(columns) != len(TABLE_COLUMNS):
        raise UserError(f"three --columns ({', '.join(TABLE_COLUMNS)})", ",".join(columns), "Name three.")
    id_column, path_column, landmark_column = columns
    folder = os.path.dirname(os.path.abspath(table))
    entries, missing = [], []
    for row in read_csv(table, columns):
        path = os.path.normpath(os.path.join(folder, row[path_column]))
        if os.path.isfile(path):
            entries.append(ImageEntry(row[id_column], path, row[landmark_column]))
        else:
            missing.append(row[id_column])
    report_missing(missing, len(entries) + len(missing), table, strict)
    return ImageList(tuple(entries), os.path.abspath(table), tuple(missing))
