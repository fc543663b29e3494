"""The measures of many photographs, saved as they come."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import read_json, write_json, write_npy
from landmark_zoo.core.progress import progress
from landmark_zoo.data.analysis.measure import MEASURES, measure
from landmark_zoo.data.analysis.photographs import Block, Photographs
from landmark_zoo.data.photograph import BadPhotograph


@dataclass(frozen=True)
class Measured:
    """Photographs and what was measured on them.

    Attributes:
        photographs: N of them.
        table: `MEASURES` [N]; zeros where a photograph is not readable.
        faults: Number of a photograph to the reason why it cannot be read.
    """

    photographs: Photographs
    table: np.ndarray
    faults: dict[int, str]


def measured(photographs: Photographs, folder: str | Path) -> Measured:
    """Measures all photographs; blocks that were measured before are only read.

    Args:
        photographs: What to measure.
        folder: Where the measures of blocks are kept, under the fingerprints of the blocks.
    """
    tables, faults = [np.zeros(0, MEASURES)], {}
    numbers = progress(range(len(photographs)), f"measuring {photographs.part}", unit="photograph")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for block in photographs.blocks:
            path = Path(folder, f"{block.fingerprint[:32]}.npy")
            table, reasons = _load(path, block) or _make(path, block, photographs, pool, numbers)
            tables.append(table)
            faults.update({block.start + int(number): reason for number, reason in reasons.items()})
    return Measured(photographs, np.concatenate(tables), faults)


def _load(path: Path, block: Block) -> tuple[np.ndarray, dict[str, str]] | None:
    if not path.is_file():
        return None
    try:
        table = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if table.dtype != MEASURES or table.shape != (block.stop - block.start,):
        return None
    return table, read_json(path.with_suffix(".json"))


def _make(path: Path, block: Block, photographs: Photographs, pool: ThreadPoolExecutor,
          numbers: Iterator[int]) -> tuple[np.ndarray, dict[str, str]]:
    def row(number: int) -> tuple | str:
        try:
            return measure(photographs.read(number))
        except BadPhotograph as error:
            return error.reason

    table, faults = np.zeros(block.stop - block.start, MEASURES), {}
    for place, found in enumerate(pool.map(row, range(block.start, block.stop))):
        next(numbers)
        if isinstance(found, str):
            faults[str(place)] = found
        else:
            table[place] = found
    write_json(path.with_suffix(".json"), faults)
    write_npy(path, table)
    return table, faults
