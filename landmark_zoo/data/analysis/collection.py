"""Several parts as one row of photographs."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis.measured import Measured


class Collection:
    """Measured parts laid end to end; a photograph has one number from 0 to N - 1.

    Args:
        parts: The parts of the data, then those of a benchmark.
        data_parts: How many of them are the data.

    Raises:
        UserError: No photograph of the data can be read.
    """

    def __init__(self, parts: Sequence[Measured], data_parts: int):
        self.parts, self.data_parts = list(parts), data_parts
        self._starts = np.cumsum([0, *(len(part.photographs) for part in self.parts)])
        if not self.readable[:self.data_size].any():
            reasons = sorted({reason for part in self.parts[:data_parts] for reason in part.faults.values()})
            raise UserError("at least one readable photograph",
                            f"{self.data_size:,} that are not ({'; '.join(reasons[:3])})", "Check --data.")

    @cached_property
    def table(self) -> np.ndarray:
        """`MEASURES` [N]."""
        return np.concatenate([part.table for part in self.parts])

    @cached_property
    def part_of(self) -> np.ndarray:
        """The part's place of each photograph, int64 [N]."""
        return np.repeat(np.arange(len(self.parts)), np.diff(self._starts))

    @property
    def readable(self) -> np.ndarray:
        """Which photographs can be read, bool [N]."""
        return self.table["readable"]

    @property
    def data_size(self) -> int:
        """The number of photographs of the data, which come first."""
        return int(self._starts[self.data_parts])

    def name(self, number: int) -> str:
        """Returns the part of a photograph."""
        return self.parts[self.part_of[number]].photographs.part

    def id(self, number: int) -> str:
        """Returns the id of a photograph, unique within its part."""
        return self._ask(number, "ids")

    def landmark(self, number: int) -> str:
        """Returns what a photograph shows, "" where that is not known."""
        return self._ask(number, "landmarks")

    def read(self, number: int) -> bytes:
        """Returns the bytes of a photograph."""
        part = self.part_of[number]
        return self.parts[part].photographs.read(int(number - self._starts[part]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _ask(self, number: int, what: str) -> str:
        part = self.part_of[number]
        return getattr(self.parts[part].photographs, what)[number - self._starts[part]]
