"""Vectors plus the weighted sum of their neighbours."""

import numpy as np

BLOCK = 1024


def sum_of_neighbours(vectors: np.ndarray, index_vectors: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns v_i + sum_j weights[i, j] index_vectors[rows[i, j]], float32 [N, D], not normalised.

    The result is a new array: where `vectors` and `index_vectors` are the same, every sum is over the vectors as they were.

    Args:
        vectors: float32 [N, D].
        index_vectors: float32 [M, D].
        rows: Rows of `index_vectors`, int [N, k].
        weights: float [N, k].
    """
    sums = vectors.astype(np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = slice(start, start + BLOCK)
        sums[block] += np.einsum("nk,nkd->nd", weights[block].astype(np.float32), index_vectors[rows[block]])
    return sums
