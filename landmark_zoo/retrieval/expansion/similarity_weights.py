"""How much a neighbour counts, by its similarity."""

import numpy as np

from landmark_zoo.core.errors import UserError


def similarity_weights(similarities: np.ndarray, alpha: float) -> np.ndarray:
    """Returns similarity^alpha, and 0 for a similarity of 0 or less.

    An odd power of a negative similarity would subtract a neighbour, an even one add what is unlike. With alpha 0 every
    other neighbour counts 1.

    Args:
        similarities: [...], from -1 to 1.
        alpha: 0 or more.

    Raises:
        UserError: A negative or infinite alpha.
    """
    if not 0 <= alpha < np.inf:
        raise UserError("a finite alpha of 0 or more", f"{alpha}", "3 is usual, 0 gives the plain mean.")
    return np.where(similarities > 0, np.maximum(similarities, 0) ** alpha, 0).astype(np.float32)
