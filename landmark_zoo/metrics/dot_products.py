"""All dot products of queries with a long index, a block at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BLOCK = 1024
_KEPT = np.int32(-0x70002000)  # the bits of a float32 that a float16 shifted left by 13 may set: 8fffe000
_EXPONENT = np.float32(2.0**112)  # 2^127 / 2^15, the biases of the two exponents


def dot_products(queries: np.ndarray, shards: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the dot product of every query with every row of the shards, float32 [Q, N].

    Shards may be memory maps; beside the result and two blocks nothing is held in memory. Every block is multiplied in the
    same shape, the last one filled up, so that equal rows have scores equal to the last bit wherever they stand.

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
    parts = [(number, first) for number, shard in enumerate(shards) for first in range(0, len(shard), BLOCK)]
    blocks = [np.zeros((BLOCK, queries.shape[1]), np.float32) for _ in range(2)]

    def read(turn: int) -> tuple[int, bool]:
        number, first = parts[turn]
        rows = shards[number][first:first + BLOCK]
        return len(rows), _copy(rows, blocks[turn % 2][:len(rows)])

    start = 0
    with ThreadPoolExecutor(1) as reader:  # reads one block while the one before is multiplied
        ahead = reader.submit(read, 0) if parts else None
        for turn, (number, first) in enumerate(parts):
            count, finite = ahead.result()
            if turn + 1 < len(parts):
                ahead = reader.submit(read, turn + 1)
            found = scores[:, start:start + count]
            found[:] = np.matmul(queries, blocks[turn % 2].T)[:, :count]
            if not (finite and np.isfinite(found).all()):
                raise ValueError(f"dot_products: expected finite numbers; received others in shard {number}, rows {first} "
                                 f"to {first + count - 1}, or in the queries.")
            start += count
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
