"""Which of many 64-bit numbers differ in few bits, without comparing all with all."""

import itertools
from collections.abc import Iterator

import numpy as np

_BAND_BITS, _BANDS = 16, 4
_CANDIDATES = 1 << 22
_ONES = np.array([number.bit_count() for number in range(1 << _BAND_BITS)], np.uint8)


def alike_hashes(values: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns all pairs of numbers that differ in at most `radius` bits.

    A number is cut into four bands of 16 bits. Where two differ in `radius` bits, one of their bands differs in a fourth of
    them at most; so only numbers with such a band are compared. Nothing is missed. With evenly spread numbers and a radius
    of 8 one comparison in 120 is left.
    Reference: Norouzi et al., Fast Search in Hamming Space with Multi-Index Hashing, CVPR 2012.

    Args:
        values: uint64 [N], all different.
        radius: In bits.

    Returns:
        Places of the one and the other, the one the lower, and the bits in which they differ, int64 [P] each.
    """
    masks = [sum(1 << bit for bit in bits) for flips in range(radius // _BANDS + 1)
             for bits in itertools.combinations(range(_BAND_BITS), flips)]
    found = [np.zeros((3, 0), np.int64)]
    for band in range(_BANDS):
        keys = (values >> np.uint64(band * _BAND_BITS)).astype(np.int64) & (len(_ONES) - 1)
        for one, other in _candidates(keys, masks):
            bits = _differing_bits(values[one], values[other])
            near = bits <= radius
            found.append(np.stack([np.minimum(one, other)[near], np.maximum(one, other)[near], bits[near]]))
    one, other, bits = np.unique(np.concatenate(found, axis=1), axis=1)
    return one, other, bits


def _candidates(keys: np.ndarray, masks: list[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields places of numbers whose keys differ by one of the masks, each pair once per mask."""
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=len(_ONES))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(keys))
    for mask in masks:
        wanted = keys[order] ^ mask
        asking = np.flatnonzero((wanted > keys[order]) | (mask == 0))
        first = starts[wanted[asking]] if mask else place[asking] + 1  # in the same bucket, those behind
        answers = starts[wanted[asking]] + counts[wanted[asking]] - first
        ends = np.cumsum(answers)
        cuts = np.searchsorted(ends, np.arange(_CANDIDATES, ends[-1:].sum(), _CANDIDATES))
        for part in np.split(np.arange(len(asking)), cuts):
            number = answers[part]
            before = np.repeat(np.cumsum(number) - number, number)
            yield (order[np.repeat(asking[part], number)],
                   order[np.repeat(first[part], number) + np.arange(number.sum()) - before])


def _differing_bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    bands = (one ^ other).view(np.uint16).reshape(-1, _BANDS)
    return _ONES[bands].sum(axis=1, dtype=np.int64)
