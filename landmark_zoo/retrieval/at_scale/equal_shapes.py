"""Batches of arrays that have one shape."""

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)


def equal_shapes(items: Iterable[tuple[Key, np.ndarray]], batch_size: int,
                 waiting: int) -> Iterator[tuple[list[Key], np.ndarray]]:
    """Yields keys and stacked arrays [n, ...] of one shape, n at most `batch_size`.

    Full batches go out as they fill up. No more than `waiting` arrays wait for others of their shape; past that the largest
    group goes out as it is.

    Args:
        items: A key and an array each.
        batch_size: Arrays per batch.
        waiting: Bounds the memory.
    """
    groups: dict[tuple, list[tuple[Key, np.ndarray]]] = {}
    count = 0
    for key, value in items:
        group = groups.setdefault(value.shape, [])
        group.append((key, value))
        count += 1
        if len(group) == batch_size or count > waiting:
            largest = value.shape if len(group) == batch_size else max(groups, key=lambda shape: len(groups[shape]))
            batch = groups.pop(largest)
            count -= len(batch)
            yield _stacked(batch)
    while groups:
        yield _stacked(groups.pop(next(iter(groups))))


def _stacked(batch: list[tuple[Key, np.ndarray]]) -> tuple[list[Key], np.ndarray]:
    return [key for key, _ in batch], np.stack([value for _, value in batch])
