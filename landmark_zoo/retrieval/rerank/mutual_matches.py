"""Nearest neighbours between two sets of local features."""

import numpy as np


def mutual_matches(query: np.ndarray, candidate: np.ndarray, ratio: float) -> np.ndarray:
    """Returns the pairs of features that are each other's nearest, and much nearer than the second nearest.

    A feature of the query counts where its nearest candidate is closer than `ratio` times the second (Lowe: Distinctive
    Image Features from Scale-Invariant Keypoints, IJCV 2004, section 7.1) and has no nearer feature in the query. Without
    the last condition many points may match one, and a homography that collapses the picture onto it wins: pictures of
    different landmarks then reach 74 inliers instead of 8.

    Args:
        query: float32 [N, D], rows of length 1.
        candidate: float32 [M, D], rows of length 1.
        ratio: 0..1; 1 leaves the ratio test out.

    Returns:
        int64 [K, 2], row numbers in `query` and in `candidate`; none where `candidate` has fewer than two rows.

    Raises:
        ValueError: Features of two lengths.
    """
    if query.shape[1] != candidate.shape[1]:
        raise ValueError(f"Expected features of one length; received {query.shape[1]} and {candidate.shape[1]}.")
    if len(query) == 0 or len(candidate) < 2:
        return np.zeros((0, 2), np.int64)
    cosines = query @ candidate.T
    rows, nearest, back = np.arange(len(query)), cosines.argmax(axis=1), cosines.argmax(axis=0)
    first = cosines[rows, nearest]
    cosines[rows, nearest] = -np.inf
    second = cosines.max(axis=1)
    kept = (1 - first <= ratio ** 2 * (1 - second)) & (back[nearest] == rows)  # |a - b|^2 = 2 (1 - cos)
    return np.stack([rows[kept], nearest[kept]], axis=1)
