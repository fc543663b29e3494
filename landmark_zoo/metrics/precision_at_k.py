"""Precision of the first k places, with the two divisors in use."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.metrics.checked_ranks import checked_ranks

DIVISORS = ("positives", "last_positive")


def precision_at_k(ranks: Sequence[int] | np.ndarray, positives: int, k: int, divisor: str) -> float:
    """Returns the share of positives among the first places of one ranking.

    Dividing by `k` would punish queries with fewer than `k` positives. The benchmarks avoid it in two ways:

    * "positives": hits in the first `k` places / `min(k, positives)`; 1 for a perfect ranking;
    * "last_positive": the revisited rule (revisitop `evaluate.py`), hits in the first `kq` places / `kq`, where `kq` is
      `min(k, place of the last positive found)`.

    Args:
        ranks: Increasing 0-based ranks of the positives found, junk left out (`positive_ranks`).
        positives: How many positives there are.
        k: How many places count.
        divisor: "positives" or "last_positive".

    Returns:
        A number in [0, 1]; 0 where nothing was found, NaN without positives.
    """
    if divisor not in DIVISORS:
        raise ValueError(f"Expected divisor {' or '.join(DIVISORS)}; received {divisor!r}.")
    if k < 1:
        raise ValueError(f"Expected k of 1 or more; received {k}.")
    ranks = checked_ranks(ranks, positives)
    if positives == 0:
        return float("nan")
    if len(ranks) == 0:
        return 0.0
    places = min(k, positives if divisor == "positives" else int(ranks[-1]) + 1)
    counted = k if divisor == "positives" else places
    return float(np.count_nonzero(ranks < counted) / places)
