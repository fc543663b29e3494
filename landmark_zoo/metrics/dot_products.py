"""All dot products of queries with a long index, a block at a time."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BLOCK = 2048
_KEPT = np.int32(-0x70002000)  # the bits of a float32 that a float16 shifted left by 13 may set: 8fffe000
_EXPONENT = np.float32(2.0**112)  # 2^127 / 2^15, the biases of the two exponents


def dot_products(queries: np.ndarray, shards: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the dot product of every query with every row of the shards, float32 [Q, N].

    Shards may be memory maps; beside the result and one block per processor core nothing is held in memory. Every block is
    multiplied in the same shape, the last one filled up, so that equal rows have scores equal to the last bit wherever they
    stand. Blocks are shared among threads, which is fastest where numpy's own product is limited to one thread
    (`threadpoolctl.threadpool_limits(1, "blas")`).

    Args:
        queries: float [Q, D].
        shards: float16 or float32 [n, D] each, in the order of the index; N rows in all.

    Raises:
        ValueError: Other shapes or types; a number that is not finite.
    """
    queries = np.ascontiguousarray(queries, np.float32)
    if queries.ndim != 2:
        raise ValueError(f"dot_products: expected queries [Q, D]; received shape {queries.shape}.")
    for number, shard in enumerate(shards):
        if shard.ndim != 2 or shard.shape[1] != queries.shape[1] or shard.dtype not in (np.float16, np.float32):
            raise ValueError(f"dot_products: expected float16 or float32 [n, {queries.shape[1]}]; received {shard.dtype} "
                             f"{shard.shape} as shard {number}.")
    scores = np.empty((len(queries), sum(map(len, shards))), np.float32)
    starts = np.cumsum([0, *map(len, shards)])
    own = threading.local()

    def multiply(part: tuple[int, int]) -> None:
        number, first = part
        rows = shards[number][first:first + BLOCK]
        if not hasattr(own, "block"):
            own.block = np.zeros((BLOCK, queries.shape[1]), np.float32)
        finite = _copy(rows, own.block[:len(rows)])
        found = np.matmul(queries, own.block.T)[:, :len(rows)]
        if not (finite and np.isfinite(found).all()):
            raise ValueError(f"dot_products: expected finite numbers; received others in shard {number}, rows {first} "
                             f"to {first + len(rows) - 1}, or in the queries.")
        start = starts[number] + first
        scores[:, start:start + len(rows)] = found

    parts = [(number, first) for number, shard in enumerate(shards) for first in range(0, len(shard), BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(multiply, parts):
            pass
    return scores


def _copy(rows: np.ndarray, block: np.ndarray) -> bool:
    """Copies rows to a block of float32, and says whether float16 ones are finite.

    The bits of a float16 are moved to their places in a float32, and its exponent is mended by a product: exact, and more
    than twice as fast as numpy's cast.
    """
    if rows.dtype != np.float16:
        block[:] = rows
        return True
    bits = block.view(np.int32)
    bits[:] = rows.view(np.int16)
    bits <<= 13
    bits &= _KEPT
    block *= _EXPONENT
    return bool(rows.view(np.int16).max() < 0x7c00 and rows.view(np.uint16).max() < 0xfc00)
