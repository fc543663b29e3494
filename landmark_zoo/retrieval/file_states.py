"""States of embedded files: which are read again (size, time of change) and which are embedded again (hash)."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.datasets.images import InvalidImageError, read_bytes

FILE = "files.csv"
"""Table of an embedding folder: the state of the file of every image, skipped ones too, in the order of the list."""

_COLUMNS = ("id", "size", "mtime_ns", "sha256", "skipped")


class FileState(NamedTuple):
    """Size, time of change and hash of a file.

    Args:
        size: Bytes; -1 where the file was not there or could not be read, so that it is tried again once it is there.
        mtime_ns: Time of its last change, in nanoseconds.
        sha256: SHA-256 of its bytes; "" where they were not read, or where an earlier release did not note it.
    """

    size: int
    mtime_ns: int
    sha256: str = ""

    @classmethod
    def of(cls, path: str | Path) -> "FileState":
        """Returns the state of a file without reading it; what is no regular file counts as absent."""
        try:
            facts = os.stat(path)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return ABSENT
        return cls(facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else ABSENT

    def is_changed(self, path: str | Path) -> bool:
        """Returns whether the file at `path` has another size or time of change by now."""
        return FileState.of(path)[:2] != self[:2]


ABSENT = FileState(-1, 0)


class EmbeddedFile(NamedTuple):
    """What an embedding run found in one file.

    Args:
        state: State of the file when it was read.
        skipped: Reason why it has no embedding; "" where it has one.
    """

    state: FileState
    skipped: str = ""


def list_checksum(images: Iterable[ImageRef]) -> str:
    """Returns a SHA-256 of ids and boxes in their order: of what is to be embedded, whatever the files hold."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(json.dumps([image.id, image.box]).encode())
    return digest.hexdigest()


def write_files(output: Path, files: Iterable[tuple[str, EmbeddedFile]]) -> None:
    """Writes the table `FILE` of an embedding folder from ids and what was found."""
    write_csv(output / FILE, _COLUMNS, ([name, *file.state, file.skipped] for name, file in files))


def read_files(output: Path, images: Sequence[ImageRef]) -> Iterator[EmbeddedFile]:
    """Yields what was found in the file of each image when the finished set in `output` was made.

    A set of an earlier release has no such table: what is newer than the set itself counts as changed, the rest as it is.

    Raises:
        UserError: A table that is not that of these images.
    """
    if (output / FILE).exists():
        rows = read_csv(output / FILE, _COLUMNS)
        try:
            for image, row in zip(images, rows, strict=True):
                if row["id"] != image.id:
                    raise ValueError(f"{row['id']} in the place of {image.id}")
                yield EmbeddedFile(FileState(int(row["size"]), int(row["mtime_ns"]), row["sha256"]), row["skipped"])
        except ValueError as error:
            raise UserError(f"a row for each image in {output / FILE}", str(error),
                            "Choose another output folder or remove it.") from error
        return
    made = FileState.of(output / "embeddings.json").mtime_ns
    skipped = {row["id"]: row["reason"] for row in read_csv(output / "skipped.csv", ["id", "reason"])}
    for image in images:
        yield EmbeddedFile(unnoted(image, made), skipped.get(image.id, ""))


def unnoted(image: ImageRef, made: int) -> FileState:
    """Returns the state of a file of which an earlier release noted none.

    Args:
        image: The image.
        made: Time at which its embedding was written, in nanoseconds; a file that is newer gets a state that it has not.
    """
    state = FileState.of(image.path)
    return ABSENT if state.mtime_ns > made else state


Read = Callable[[ImageRef], bytes]


class Look(NamedTuple):
    """One image as it is on the way to its embedding.

    Args:
        id: Its id.
        state: State of its file.
        pixels: To be embedded, float32 [h, w, 3]; None for an image that is skipped or whose embedding is kept.
        skipped: Reason to skip it, or "".
    """

    id: str
    state: FileState
    pixels: np.ndarray | None = None
    skipped: str = ""


def look(prepare: Callable[[ImageRef, bytes], np.ndarray], read: Read | None, image: ImageRef,
         known: EmbeddedFile | None) -> Look:
    """Reads an image unless size and time of its file are the known ones, and decodes it unless its bytes are.

    Args:
        prepare: From an image and the bytes of its file to its pixels.
        read: From an image to the bytes of its file, where `path` is not a file.
        image: The image.
        known: What an earlier run found in its file; None for nothing.
    """
    state = FileState.of(image.path)
    if known and state[:2] == known.state[:2]:
        return Look(image.id, known.state, None, known.skipped)
    try:
        data = read(image) if read else read_bytes(image.path)
    except InvalidImageError as error:
        return Look(image.id, ABSENT, None, error.reason)
    state = state._replace(sha256=hashlib.sha256(data).hexdigest())
    if known and state.sha256 == known.state.sha256:
        return Look(image.id, state, None, known.skipped)
    try:
        return Look(image.id, state, prepare(image, data))
    except InvalidImageError as error:
        return Look(image.id, state, None, error.reason)
