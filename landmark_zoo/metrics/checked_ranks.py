"""What every metric asks of the ranks it is given."""

from collections.abc import Sequence

import numpy as np


def checked_ranks(ranks: Sequence[int] | np.ndarray, positives: int) -> np.ndarray:
    """Returns `ranks` as int64 if they can be the ranks of a query's positives.

    Args:
        ranks: 0-based ranks of the positives found.
        positives: How many positives there are.

    Raises:
        ValueError: Ranks that are not whole, negative, not increasing, or more than `positives`.
    """
    given = np.asarray(ranks)
    ranks = given.astype(np.int64)
    if given.ndim != 1 or (ranks != given).any() or (ranks < 0).any() or (np.diff(ranks) <= 0).any():
        raise ValueError(f"Expected increasing 0-based ranks; received {given.tolist()}.")
    if len(ranks) > positives:
        raise ValueError(f"Expected at most {positives} ranks, one for each positive; received {len(ranks)}.")
    return ranks
