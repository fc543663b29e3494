"""How photographs spread over landmarks: the head and the tail."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class ClassBalance(NamedTuple):
    """Landmarks by the number of their photographs.

    Attributes:
        landmarks: Most photographed first; of equal ones by name.
        counts: Their photographs, int64 [K], falling.
    """

    landmarks: tuple[str, ...]
    counts: np.ndarray

    @property
    def head(self) -> int:
        """The number of landmarks that hold half of all photographs, the most photographed ones."""
        return int(np.searchsorted(np.cumsum(self.counts), self.counts.sum() / 2) + 1) if len(self.counts) else 0

    def at_most(self, photographs: int) -> int:
        """Returns the number of landmarks with so many photographs or fewer."""
        return int((self.counts <= photographs).sum())


def class_balance(landmarks: Iterable[str]) -> ClassBalance:
    """Counts photographs.

    Args:
        landmarks: Of each photograph; "" where unknown, which counts for nothing.
    """
    counted = sorted(Counter(filter(None, landmarks)).items(), key=lambda item: (-item[1], item[0]))
    return ClassBalance(tuple(name for name, _ in counted), np.array([count for _, count in counted], np.int64))
