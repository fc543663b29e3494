"""Average precision of the first k places, as GLDv2 counts it."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.metrics.average_precision import average_precision
from landmark_zoo.metrics.checked_ranks import checked_ranks


def average_precision_at_k(ranks: Sequence[int] | np.ndarray, positives: int, k: int = 100) -> float:
    """Returns `sum_{i<=k} P(i) rel(i) / min(positives, k)` of one query (Weyand et al., CVPR 2020, sec. 5.1).

    The divisor is `min(positives, k)`, neither `positives` nor the number found: a perfect ranking has 1 also where
    there are more than `k` positives. The mean over queries is mAP@k.

    Args:
        ranks: Increasing 0-based ranks of the positives found (`positive_ranks`); those from `k` on do not count.
        positives: How many positives there are in the index.
        k: How many places count.

    Returns:
        A number in [0, 1]; NaN without positives.
    """
    if k < 1:
        raise ValueError(f"Expected k of 1 or more; received {k}.")
    ranks = checked_ranks(ranks, positives)
    return average_precision(ranks[ranks < k], min(positives, k), "finite_sum")
