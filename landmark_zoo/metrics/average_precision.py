"""Average precision of one query, in the two conventions that the literature mixes up."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.metrics.checked_ranks import checked_ranks

CONVENTIONS = ("finite_sum", "trapezoid")


def average_precision(ranks: Sequence[int] | np.ndarray, positives: int, convention: str) -> float:
    """Returns the area under the precision-recall curve of one ranking.

    With `r_j` the 0-based rank of the j-th positive found (j = 0, 1, ...):

    * finite sum, `sum_j (j+1) / (r_j+1) / positives`: GLDv2, Kaggle, scikit-learn;
    * trapezoid, `sum_j (p_j + (j+1) / (r_j+1)) / 2 / positives` with `p_j = j / r_j`, or 1 where `r_j = 0`: the
      Oxford and Paris benchmarks (`compute_ap` of VGG and of revisitop). A single positive at the second place has 0.25
      here and 0.5 by finite sum.

    Args:
        ranks: Increasing 0-based ranks of the positives found, junk left out (`positive_ranks`).
        positives: How many positives there are; those without a rank are misses.
        convention: "finite_sum" or "trapezoid".

    Returns:
        A number in [0, 1]; NaN without positives, for such a query belongs in no mean.

    Raises:
        ValueError: Ranks that are negative, not increasing or more than the positives; an unknown convention.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"Expected convention {' or '.join(CONVENTIONS)}; received {convention!r}.")
    ranks = checked_ranks(ranks, positives)
    if positives == 0:
        return float("nan")
    found = np.arange(len(ranks))
    after = (found + 1) / (ranks + 1)
    if convention == "finite_sum":
        return float(after.sum() / positives)
    before = np.where(ranks == 0, 1.0, found / np.maximum(ranks, 1))
    return float((before + after).sum() / 2 / positives)
