"""Exact ranks in a long index, without sorting it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from landmark_zoo.metrics.counted_ranks import counted_ranks
from landmark_zoo.metrics.dot_products import dot_products


def ranks_by_counting(queries: np.ndarray, shards: Sequence[np.ndarray],
                      rows: Sequence[Sequence[int] | np.ndarray]) -> list[np.ndarray]:
    """Returns the 0-based places of some index images in the ranking of each query.

    With the places of positives and junk together, `ranks_without_junk` gives the ranks under any protocol. Equal scores
    stand in the order of the index. Scores take 4 Q N bytes: give many queries in parts.

    Args:
        queries: float [Q, D].
        shards: float16 or float32 [n, D] each, perhaps memory-mapped, N rows in all.
        rows: For each query the images asked for, from 0 to N - 1 over all shards.

    Returns:
        For each query int64, in the order of its `rows`.

    Raises:
        ValueError: Shapes, types or rows that do not fit; a number that is not finite.
    """
    if len(rows) != len(queries):
        raise ValueError(f"ranks_by_counting: expected rows for {len(queries)} queries; received {len(rows)}.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(counted_ranks, dot_products(queries, shards), rows))
