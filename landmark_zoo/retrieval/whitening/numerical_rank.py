"""How many directions carry variance."""

import numpy as np


def numerical_rank(variances: np.ndarray) -> int:
    """Returns how many variances are more than the rounding of float32 unit vectors: 1e-10 of the largest, and 1e-14.

    Args:
        variances: Eigenvalues of a covariance of embeddings, [D], in any order.
    """
    return int(np.sum(variances > max(1e-10 * variances.max(), 1e-14)))
