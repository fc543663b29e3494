"""Where the positives of a query stand in its ranking."""

from collections.abc import Collection, Sequence

import numpy as np


def positive_ranks(ranking: Sequence | np.ndarray, positives: Collection, junk: Collection = ()) -> np.ndarray:
    """Returns the 0-based ranks of the positives, counted after the junk is taken out.

    Junk is removed first, so it neither helps nor harms (Philbin et al., CVPR 2007; Radenovic et al., CVPR 2018). A
    positive listed twice counts once, at its first place; the repetition keeps its place as a miss, as in the GLDv2
    evaluation.

    Args:
        ranking: Ids of index images, best first; it may be truncated.
        positives: Ids that should be found. Those absent from `ranking` are not among the ranks returned.
        junk: Ids that count neither way.

    Returns:
        Increasing int64 array with one rank for each positive found.

    Raises:
        ValueError: An id is positive and junk at once.
    """
    positives, junk = list(positives), list(junk)
    both = set(positives) & set(junk)
    if both:
        raise ValueError(f"Expected positives and junk without a common id; received {min(both)!r} in both.")
    ranking = np.asarray(ranking)
    ranking = ranking[~_is_in(ranking, junk)]
    places = np.flatnonzero(_is_in(ranking, positives))
    _, first = np.unique(ranking[places], return_index=True)
    return np.sort(places[first])


def _is_in(ranking: np.ndarray, ids: list) -> np.ndarray:
    return np.isin(ranking, ids) if ids else np.zeros(ranking.shape, bool)
