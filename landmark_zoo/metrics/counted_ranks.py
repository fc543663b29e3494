"""Where some images stand in a ranking that is never sorted."""

from collections.abc import Callable, Sequence

import numpy as np

_BINS = 1 << 15
_BLOCK = 1 << 17


def counted_ranks(scores: np.ndarray, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns the 0-based places of some images in the ranking of all by falling score.

    The place of an image is the number of images with a larger score, plus the number of those with the same score and a
    smaller row: equal scores stand in the order of the index, as `np.argsort(-scores, kind="stable")` puts them.

    Scores are counted in bins of equal width between the lowest and the highest score asked for; only in bins that hold a
    score asked for are they compared with it.

    Args:
        scores: Of one query with every image of the index, float [N].
        rows: The images asked for, whole numbers from 0 to N - 1.

    Returns:
        int64, one place for each of `rows`.

    Raises:
        ValueError: A NaN, or a row outside the index.
    """
    rows = np.asarray(rows, np.int64)
    if rows.size == 0:
        return rows
    if scores.ndim != 1 or rows.min() < 0 or rows.max() >= len(scores):
        raise ValueError(f"counted_ranks: expected scores [N] and rows from 0 to N - 1; received scores of shape "
                         f"{scores.shape} and rows from {rows.min()} to {rows.max()}.")
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
    """Returns the function from scores to bins; it never falls, and puts `wanted` into 1 to `_BINS` + 1."""
    low, spread = wanted[0], float(wanted[-1]) - float(wanted[0])
    scale = wanted.dtype.type(min(_BINS / spread, 1e30) if spread else 1.0)

    def to_bins(scores: np.ndarray) -> np.ndarray:
        if np.isnan(scores.max()):
            raise ValueError("counted_ranks: expected scores that are numbers; received NaN.")
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
