"""How much a picture of each landmark counts, so that landmarks with many pictures do not decide everything."""

from collections.abc import Sequence

import numpy as np


def class_weights(counts: Sequence[int] | np.ndarray, kind: str = "inverse_log") -> np.ndarray:
    """Returns one weight per landmark for `softmax_cross_entropy`, of mean 1 over the landmarks that have pictures.

    * "inverse_log", 1 / ln(1 + n): the winners of the Google Landmark Recognition challenge 2020;
    * "inverse", 1 / n: every landmark counts the same in total.

    Args:
        counts: int [N], n training pictures of each landmark.
        kind: "inverse_log" or "inverse".

    Returns:
        float32 [N]; 0 where there are no pictures.
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or not (counts >= 0).all() or not (counts > 0).any():
        raise ValueError("class_weights: expected counts [N] of 0 or more, one at least above 0; "
                         f"received {counts.tolist()}.")
    if kind not in ("inverse_log", "inverse"):
        raise ValueError(f"class_weights: expected kind 'inverse_log' or 'inverse'; received {kind!r}.")
    present = counts > 0
    divisors = np.log1p(counts[present]) if kind == "inverse_log" else counts[present]
    weights = np.zeros(len(counts))
    weights[present] = 1 / divisors
    return (weights / weights[present].mean()).astype(np.float32)
