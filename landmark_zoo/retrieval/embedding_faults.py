"""What makes a vector no embedding."""

import numpy as np

TOLERANCE = 1e-3


def embedding_faults(vectors: np.ndarray) -> dict[int, str]:
    """Returns what is wrong with which row of `vectors` [N, D]; an embedding is finite and of length 1 (to 1e-3).

    A NaN would be sorted to one end of every ranking without a word, and a length other than 1 makes the dot product
    something else than the cosine.

    Returns:
        Row number to fault, e.g. `{3: "an embedding with NaN or infinity"}`; empty where all rows are good.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    return {int(row): f"an embedding of length {lengths[row]:.4f} instead of 1" if np.isfinite(lengths[row])
            else "an embedding with NaN or infinity"
            for row in np.flatnonzero(~(np.abs(lengths - 1) <= TOLERANCE))}
