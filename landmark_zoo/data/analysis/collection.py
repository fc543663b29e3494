"""Measured image collections: the measures of all images, cached in blocks."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import read_json, read_npy, write_json, write_npy
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.analysis.images import Block, ImageSplit
from landmark_zoo.data.analysis.measures import MEASURES, measure_image
from landmark_zoo.data.datasets.images import InvalidImageError


@dataclass(frozen=True)
class MeasuredImages:
    """Images of one split and their measures.

    Attributes:
        images: Images of the split, N of them.
        table: `MEASURES` [N]; zeros where an image is not readable.
        faults: Number of an unreadable image to the reason.
    """

    images: ImageSplit
    table: np.ndarray
    faults: dict[int, str]


def measure_images(images: ImageSplit, folder: str | Path) -> MeasuredImages:
    """Measures the images of a split; blocks that were measured before are read from the cache.

    Args:
        images: Images of the split.
        folder: Cache folder, in which the measures of each block are kept under its fingerprint; images that were
            not readable then are tried again.
    """
    tables, faults = [np.zeros(0, MEASURES)], {}
    numbers = progress(range(len(images)), f"measuring {images.name}", unit="photograph")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for block in images.blocks:
            path = Path(folder, f"{block.fingerprint[:32]}.npy")
            found = _load(path, block)
            if found and any(isinstance(_measured(images, block.start + int(number)), tuple) for number in found[1]):
                found = None  # an image has been mended since
            table, reasons = found or _make(path, block, images, pool, numbers)
            tables.append(table)
            faults.update({block.start + int(number): reason for number, reason in reasons.items()})
    if faults:
        first = min(faults)
        notify(f"{len(faults):,} images of {images.name} cannot be read, first {images.ids[first]}: {faults[first]}")
    return MeasuredImages(images, np.concatenate(tables), faults)


def _load(path: Path, block: Block) -> tuple[np.ndarray, dict[str, str]] | None:
    if not path.is_file():
        return None
    try:
        table = read_npy(path)
    except (OSError, ValueError, EOFError):
        return None
    if table.dtype != MEASURES or table.shape != (block.stop - block.start,):
        return None
    faults = read_json(path.with_suffix(".json"), {str: str})
    return (table, faults) if all(number.isdecimal() and int(number) < len(table) for number in faults) else None


def _measured(images: ImageSplit, number: int) -> tuple | str:
    """Returns the measures of an image, or the reason why it is not readable."""
    try:
        return measure_image(images.read(number))
    except InvalidImageError as error:
        return error.reason


def _make(path: Path, block: Block, images: ImageSplit, pool: ThreadPoolExecutor,
          numbers: Iterator[int]) -> tuple[np.ndarray, dict[str, str]]:
    table, faults = np.zeros(block.stop - block.start, MEASURES), {}
    for place, found in enumerate(pool.map(partial(_measured, images), range(block.start, block.stop))):
        next(numbers)
        if isinstance(found, str):
            faults[str(place)] = found
        else:
            table[place] = found
    write_json(path.with_suffix(".json"), faults)
    write_npy(path, table)
    return table, faults


class Collection:
    """Measured splits laid end to end; an image has one number from 0 to N - 1.

    Args:
        parts: Measured splits of the data, then those of a benchmark.
        data_parts: Number of splits of the data.

    Raises:
        UserError: No image of the data can be read.
    """

    def __init__(self, parts: Sequence[MeasuredImages], data_parts: int):
        self.parts, self.data_parts = list(parts), data_parts
        self._starts = np.cumsum([0, *(len(part.images) for part in self.parts)])
        if not self.readable[:self.data_size].any():
            reasons = sorted({reason for part in self.parts[:data_parts] for reason in part.faults.values()})
            raise UserError("at least one readable photograph",
                            f"{self.data_size:,} that are not ({'; '.join(reasons[:3])})", "Check --data.")

    @cached_property
    def table(self) -> np.ndarray:
        """Measures of all images, `MEASURES` [N]."""
        return np.concatenate([part.table for part in self.parts])

    @cached_property
    def part_of(self) -> np.ndarray:
        """Index of the split of each image, int64 [N]."""
        return np.repeat(np.arange(len(self.parts)), np.diff(self._starts))

    @property
    def readable(self) -> np.ndarray:
        """Mask of the readable images, bool [N]."""
        return self.table["readable"]

    @property
    def data_size(self) -> int:
        """Number of images of the data, which come first."""
        return int(self._starts[self.data_parts])

    def name(self, number: int) -> str:
        """Returns the name of the split of an image."""
        return self.parts[self.part_of[number]].images.name

    def id(self, number: int) -> str:
        """Returns the id of an image, unique within its split."""
        return self._ask(number, "ids")

    def landmark(self, number: int) -> str:
        """Returns the landmark of an image, "" if it is unknown."""
        return self._ask(number, "landmarks")

    def read(self, number: int) -> bytes:
        """Returns the bytes of an image file."""
        part = self.part_of[number]
        return self.parts[part].images.read(int(number - self._starts[part]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _ask(self, number: int, what: str) -> str:
        part = self.part_of[number]
        return getattr(self.parts[part].images, what)[number - self._starts[part]]
