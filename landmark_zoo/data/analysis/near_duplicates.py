"""Pairs of pictures that are almost the same."""

from typing import NamedTuple

import numpy as np

from landmark_zoo.data.analysis.alike_hashes import alike_hashes

RADIUS = 8


class Pairs(NamedTuple):
    """Pairs of pictures, the most alike first.

    Attributes:
        first: Number of a picture, int64 [P].
        second: Of one with a higher number, int64 [P].
        bits: In how many bits their hashes differ, int64 [P].
    """

    first: np.ndarray
    second: np.ndarray
    bits: np.ndarray


def near_duplicates(hashes: np.ndarray, parts: np.ndarray, radius: int = RADIUS) -> Pairs:
    """Finds the pictures whose hashes differ in at most `radius` bits.

    Pictures of one part with one and the same hash are paired with the first of them only, and only that one with others: a
    million black pictures are a million pairs and not half a trillion.

    Args:
        hashes: uint64 [N], see `dct_hash`.
        parts: The part that each picture belongs to, int [N].
        radius: In bits.
    """
    order = np.lexsort((np.arange(len(hashes)), parts, hashes))
    new_value = np.diff(hashes[order], prepend=~hashes[order[:1]]) != 0
    new = new_value | (np.diff(parts[order], prepend=-1) != 0)
    leaders = order[new]  # the first picture of each part with a hash, hash by hash
    starts = np.flatnonzero(new_value[new])
    counts = np.diff(starts, append=len(leaders))
    one, other, bits = alike_hashes(hashes[leaders[starts]], radius)
    same = np.arange(len(starts))
    pairs = np.concatenate([_repeated(order, leaders, new),
                            _across(leaders, starts, counts, np.concatenate([same, one]), np.concatenate([same, other]),
                                    np.concatenate([0 * same, bits]))], axis=1)
    return Pairs(*pairs[:, np.lexsort((pairs[1], pairs[0], pairs[2]))])


def _repeated(order: np.ndarray, leaders: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Returns the pairs of a leader with those behind it, int64 [3, P]."""
    behind = ~new
    return np.stack([leaders[np.cumsum(new) - 1][behind], order[behind], np.zeros(behind.sum(), np.int64)])


def _across(leaders: np.ndarray, starts: np.ndarray, counts: np.ndarray, one: np.ndarray, other: np.ndarray,
            bits: np.ndarray) -> np.ndarray:
    """Returns the pairs of all leaders of one hash with all of another, each once, int64 [3, P]."""
    number = counts[one] * counts[other]
    row = np.repeat(np.arange(len(one)), number)
    place = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    left = starts[one[row]] + place // counts[other[row]]
    right = starts[other[row]] + place % counts[other[row]]
    once = (one != other)[row] | (left < right)
    both = np.sort(np.stack([leaders[left[once]], leaders[right[once]]]), axis=0)
    return np.concatenate([both, bits[row[once]][np.newaxis]])
