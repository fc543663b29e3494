"""The first images of a ranking that is never sorted as a whole."""

import numpy as np

_GROUP = 64


def best_places(scores: np.ndarray, k: int) -> np.ndarray:
    """Returns the `k` images with the largest scores, best first; equal scores stand in the order of the index.

    Args:
        scores: Of one query with every image of the index, float [N], finite.
        k: How many; all of a shorter index.

    Returns:
        int64 [min(k, N)].
    """
    groups = len(scores) // _GROUP
    rows = np.arange(len(scores))
    if groups > k:  # the k-th largest of the groups' maxima is no larger than the k-th largest score
        largest = scores[:groups * _GROUP].reshape(groups, _GROUP).max(axis=1)
        rows = np.flatnonzero(scores >= np.partition(largest, groups - k)[groups - k])
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
