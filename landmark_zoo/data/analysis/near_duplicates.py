"""Near-duplicates: pairs of perceptual hashes by multi-index hashing, and their groups."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

RADIUS = 8
_BAND_BITS, _BANDS = 16, 4
_BIT_COUNTS = np.array([number.bit_count() for number in range(1 << _BAND_BITS)], np.uint8)


def hamming_pairs(values: np.ndarray, radius: int,
                  max_candidates: int = 1 << 22) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns all pairs of 64-bit hashes within a Hamming distance (multi-index hashing).

    A hash is cut into four bands of 16 bits. If two differ in `radius` bits, one of their bands differs in a fourth of
    them at most, so only hashes with such a band are compared; nothing is missed. With evenly spread hashes and a radius
    of 8, one comparison in 120 is left. Reference: Norouzi et al., Fast Search in Hamming Space with Multi-Index Hashing,
    CVPR 2012.

    Args:
        values: uint64 [N], all different.
        radius: Maximum Hamming distance, in bits.
        max_candidates: Number of candidates compared at a time, which bounds the memory.

    Returns:
        First index, second (larger) index and distance of each pair, int64 [P] each.
    """
    masks = [sum(1 << bit for bit in bits) for flips in range(radius // _BANDS + 1)
             for bits in itertools.combinations(range(_BAND_BITS), flips)]
    found = [np.zeros((3, 0), np.int64)]
    for band in range(_BANDS):
        keys = (values >> np.uint64(band * _BAND_BITS)).astype(np.int64) & (len(_BIT_COUNTS) - 1)
        for one, other in _candidates(keys, masks, max_candidates):
            bits = _differing_bits(values[one], values[other])
            near = bits <= radius
            found.append(np.stack([np.minimum(one, other)[near], np.maximum(one, other)[near], bits[near]]))
    one, other, bits = np.unique(np.concatenate(found, axis=1), axis=1)
    return one, other, bits


def _candidates(keys: np.ndarray, masks: list[int], at_most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields index pairs of hashes whose keys differ by one of the masks, each pair once per mask."""
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=len(_BIT_COUNTS))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(keys))
    for mask in masks:
        wanted = keys[order] ^ mask
        asking = np.flatnonzero((wanted > keys[order]) | (mask == 0))
        first = starts[wanted[asking]] if mask else place[asking] + 1  # in the same bucket, those behind
        answers = starts[wanted[asking]] + counts[wanted[asking]] - first
        ends = np.cumsum(answers)
        cuts = np.searchsorted(ends, np.arange(at_most, ends[-1:].sum(), at_most))
        for part in np.split(np.arange(len(asking)), cuts):
            number = answers[part]
            before = np.repeat(np.cumsum(number) - number, number)
            yield (order[np.repeat(asking[part], number)],
                   order[np.repeat(first[part], number) + np.arange(number.sum()) - before])


def _differing_bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    bands = (one ^ other).view(np.uint16).reshape(-1, _BANDS)
    return _BIT_COUNTS[bands].sum(axis=1, dtype=np.int64)


class Pairs(NamedTuple):
    """Pairs of similar images, the most similar first.

    Attributes:
        first: Number of an image, int64 [P].
        second: Number of the other image, larger than the first, int64 [P].
        bits: Hamming distance of their hashes, int64 [P].
    """

    first: np.ndarray
    second: np.ndarray
    bits: np.ndarray


def near_duplicates(hashes: np.ndarray, parts: np.ndarray, radius: int = RADIUS) -> Pairs:
    """Finds the images whose hashes differ in at most `radius` bits.

    Images of one split with the same hash are paired with the first of them only, and only that one with others: a
    million black images are a million pairs and not half a trillion.

    Args:
        hashes: Perceptual hashes, uint64 [N], see `dct_hash`.
        parts: Index of the split of each image, int [N].
        radius: Maximum Hamming distance, in bits.
    """
    order = np.lexsort((np.arange(len(hashes)), parts, hashes))
    new_value = np.diff(hashes[order], prepend=~hashes[order[:1]]) != 0
    new = new_value | (np.diff(parts[order], prepend=-1) != 0)
    leaders = order[new]  # the first image of each part with a hash, hash by hash
    starts = np.flatnonzero(new_value[new])
    counts = np.diff(starts, append=len(leaders))
    one, other, bits = hamming_pairs(hashes[leaders[starts]], radius)
    same = np.arange(len(starts))
    pairs = np.concatenate([_pairs_with_leader(order, leaders, new),
                            _pairs_of_leaders(leaders, starts, counts, np.concatenate([same, one]),
                                              np.concatenate([same, other]), np.concatenate([0 * same, bits]))], axis=1)
    return Pairs(*pairs[:, np.lexsort((pairs[1], pairs[0], pairs[2]))])


def _pairs_with_leader(order: np.ndarray, leaders: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Returns the pairs of a leader with those behind it, int64 [3, P]."""
    behind = ~new
    return np.stack([leaders[np.cumsum(new) - 1][behind], order[behind], np.zeros(behind.sum(), np.int64)])


def _pairs_of_leaders(leaders: np.ndarray, starts: np.ndarray, counts: np.ndarray, one: np.ndarray, other: np.ndarray,
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


def duplicate_groups(pairs: Pairs, images: int) -> list[np.ndarray]:
    """Returns the image numbers of each group of near-duplicates, largest group first.

    Two images are in one group if a chain of pairs leads from one to the other; images without a pair are in none.

    Args:
        pairs: Pairs of `near_duplicates`.
        images: Number of images.
    """
    links = coo_array((np.ones(len(pairs.first), bool), (pairs.first, pairs.second)), shape=(images, images))
    group = connected_components(links, directed=False)[1]
    members = np.argsort(group, kind="stable")
    groups = np.split(members, np.flatnonzero(np.diff(group[members])) + 1) if images else []
    return sorted((each for each in groups if len(each) > 1), key=lambda each: (-len(each), each[0]))
