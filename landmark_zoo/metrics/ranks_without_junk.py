"""Ranks after the junk is taken out of a ranking."""

from collections.abc import Sequence

import numpy as np


def ranks_without_junk(positives: Sequence[int] | np.ndarray, junk: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns the ranks of the positives, counted after the junk is taken out.

    From the places of labelled images in one ranking (`counted_ranks`) follow the ranks under every protocol: each junk
    image moves what stands behind it up by one.

    Args:
        positives: 0-based places of the positives in the whole ranking, in any order.
        junk: Those of the junk.

    Returns:
        Increasing int64 array, as `average_precision` wants it.

    Raises:
        ValueError: A place that is in both.
    """
    positives, junk = np.sort(np.asarray(positives, np.int64)), np.sort(np.asarray(junk, np.int64))
    both = np.intersect1d(positives, junk)
    if both.size:
        raise ValueError(f"ranks_without_junk: expected positives and junk at different places; received {both[0]} in both.")
    return positives - np.searchsorted(junk, positives)
