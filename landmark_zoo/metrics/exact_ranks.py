"""Exact ranks of a few images among millions, by counting larger scores instead of sorting all."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from landmark_zoo.metrics.ranking import average_precision, precision_at_k, ranks_without_junk

BLOCK = 2048
FIGURES = ("retrieval_map", "retrieval_mp5", "retrieval_recall1")  # of `retrieval_figures`
_KEPT = np.int32(-0x70002000)  # the bits of a float32 that a float16 shifted left by 13 may set: 8fffe000
_EXPONENT = np.float32(2.0**112)  # 2^127 / 2^15, the biases of the two exponents
_BINS = 1 << 15
_BLOCK = 1 << 17


def exact_ranks(scores: np.ndarray, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns the 0-based places of some images in the ranking of all by falling score.

    The place of an image is the number of images with a larger score, plus the number of those with the same score and a
    smaller row: equal scores stand in the order of the index, as `np.argsort(-scores, kind="stable")` puts them.

    Scores are counted in bins of equal width between the lowest and the highest score asked for; only in bins that hold a
    score asked for are they compared with it.

    Args:
        scores: Scores of one query with every image of the index, float [N]; infinite ones count as larger or smaller than
            all others.
        rows: The images asked for, whole numbers from 0 to N - 1.

    Returns:
        int64, one place for each of `rows`.

    Raises:
        ValueError: Numbers that are no floats, a NaN, or a row outside the index.

    Example:
        >>> exact_ranks(np.array([0.1, 0.9, 0.5]), [0, 1]).tolist()
        [2, 0]
    """
    rows = np.asarray(rows, np.int64)
    if rows.size == 0:
        return rows
    if scores.ndim != 1 or rows.min() < 0 or rows.max() >= len(scores):
        raise ValueError(f"exact_ranks: expected scores [N] and rows from 0 to N - 1; received scores of shape "
                         f"{scores.shape} and rows from {rows.min()} to {rows.max()}.")
    if scores.dtype.kind != "f":
        raise ValueError(f"exact_ranks: expected float scores; received {scores.dtype}.")
    scores = scores.astype(np.float32, copy=False) if scores.dtype == np.float16 else scores
    wanted, number = np.unique(scores[rows], return_inverse=True)
    to_bins = _bins(wanted)
    bins = to_bins(wanted)
    shared = np.zeros(_BINS + 2, bool)
    shared[bins] = True
    in_bin, above, ties = np.zeros(_BINS + 2, np.int64), np.zeros(len(wanted) + 1, np.int64), []
    for start in range(0, len(scores), _BLOCK):
        block = scores[start:start + _BLOCK]
        found = to_bins(block)
        in_bin += np.bincount(found, minlength=_BINS + 2)
        near = np.flatnonzero(shared[found])
        passed = np.searchsorted(wanted, block[near])  # how many of the wanted scores are smaller
        above += np.bincount(passed, minlength=len(wanted) + 1)
        equal = wanted[np.minimum(passed, len(wanted) - 1)] == block[near]
        ties.append(passed[equal] * len(scores) + near[equal] + start)
    in_bin[shared] = 0
    larger = _after(in_bin)[bins] + _after(above)[:-1]
    tied = np.sort(np.concatenate(ties))
    before = np.searchsorted(tied, number * len(scores) + rows) - np.searchsorted(tied, number * len(scores))
    return larger[number] + before


def _bins(wanted: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function from scores to bins; it never falls, and puts the finite `wanted` into 1 to `_BINS` + 1."""
    finite = wanted[np.isfinite(wanted)]
    low, high = (finite[0], finite[-1]) if finite.size else (wanted.dtype.type(0), wanted.dtype.type(0))
    half_spread = float(high) / 2 - float(low) / 2  # the whole one may overflow
    scale = wanted.dtype.type(min(_BINS / half_spread / 2, 1e30) if half_spread else 1.0)

    def to_bins(scores: np.ndarray) -> np.ndarray:
        if np.isnan(scores.max()):
            raise ValueError("exact_ranks: expected scores that are numbers; received NaN.")
        with np.errstate(over="ignore"):
            places = (scores - low) * scale
        places += 1
        np.maximum(places, 0, out=places)
        np.minimum(places, _BINS + 1, out=places)
        return places.astype(np.intp)
    return to_bins


def _after(counts: np.ndarray) -> np.ndarray:
    """Returns for each place the sum of all later ones."""
    return counts.sum() - np.cumsum(counts)


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

    Example:
        >>> dot_products(np.array([[1.0, 0.0]]), [np.array([[0.5, 1.0], [2.0, 0.0]], np.float32)]).tolist()
        [[0.5, 2.0]]
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

    Example:
        >>> shard = np.array([[0.5, 1.0], [2.0, 0.0]], np.float32)
        >>> [ranks.tolist() for ranks in ranks_by_counting(np.array([[1.0, 0.0]]), [shard], [[0, 1]])]
        [[1, 0]]
    """
    if len(rows) != len(queries):
        raise ValueError(f"ranks_by_counting: expected rows for {len(queries)} queries; received {len(rows)}.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(exact_ranks, dot_products(queries, shards), rows))


def leave_one_out_ranks(embeddings: np.ndarray, labels: Sequence[int] | np.ndarray,
                        queries_at_a_time: int = 1024) -> list[np.ndarray]:
    """Returns for each image the ranks of the other images of its label among all others, by dot product.

    Args:
        embeddings: float [N, D].
        labels: int [N].
        queries_at_a_time: Number of images whose scores, 4 N bytes each, are in memory together.

    Returns:
        For each image the increasing 0-based ranks of its positives, none for one without a partner.

    Raises:
        ValueError: A number that is not finite.

    Example:
        >>> leave_one_out_ranks(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32), [0, 0, 1])
        [array([1]), array([1]), array([], dtype=int64)]
    """
    labels, ranks = np.asarray(labels), []
    members = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    for start in range(0, len(labels), queries_at_a_time):
        queries = range(start, min(start + queries_at_a_time, len(labels)))
        rows = [members[labels[query]] for query in queries]
        places = ranks_by_counting(embeddings[start:start + queries_at_a_time], [embeddings], rows)
        ranks += [ranks_without_junk(found[row != query], found[row == query])
                  for query, row, found in zip(queries, rows, places, strict=True)]
    return ranks


def retrieval_figures(embeddings: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Ranks each image against all others by dot product, and measures each ranking.

    Args:
        embeddings: float32 [N, D]; a row with a number that is not finite makes all figures 0, since such a model finds
            nothing.
        labels: int [N].

    Returns:
        By name, float [N] each: "retrieval_map" (average precision by finite sum), "retrieval_mp5" (hits in five places,
        divided by five) and "retrieval_recall1"; NaN for an image without a partner.
    """
    counts = np.unique(labels, return_inverse=True, return_counts=True)
    positives = counts[2][counts[1]] - 1
    if not np.isfinite(embeddings).all():
        return {name: np.where(positives > 0, 0.0, np.nan) for name in FIGURES}
    found = list(zip(leave_one_out_ranks(embeddings, labels), positives.tolist(), strict=True))
    return {"retrieval_map": np.array([average_precision(ranks, count, "finite_sum") for ranks, count in found]),
            "retrieval_mp5": np.array([precision_at_k(ranks, count, 5, "places") for ranks, count in found]),
            "retrieval_recall1": np.array([precision_at_k(ranks, count, 1, "places") for ranks, count in found])}
