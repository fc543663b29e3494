"""Margins that grow as a landmark's pictures get fewer (Ha, Liu, Liu: Google Landmark Recognition 2020 Competition Third
Place Solution, arXiv 2010.05350)."""

from collections.abc import Sequence

import numpy as np


def adaptive_margins(counts: Sequence[int] | np.ndarray, smallest: float = 0.05, largest: float = 0.5) -> np.ndarray:
    """Returns a margin for each class, for `ArcFace(margin=...)`.

        m_c = smallest + (largest - smallest) (t_c - min t) / (max t - min t),    t_c = n_c^(-1/4)

    Args:
        counts: int [N], n_c >= 1 training pictures of each class.
        smallest: Radians, margin of the class of most pictures.
        largest: Radians, margin of the class of fewest.

    Returns:
        float32 [N]; all `smallest` where all classes have as many pictures.
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or counts.size == 0 or counts.min() < 1 or not 0 <= smallest <= largest < np.pi:
        raise ValueError("adaptive_margins: expected counts [N] of 1 or more and 0 <= smallest <= largest < pi; "
                         f"received {counts.tolist()}, {smallest} and {largest}.")
    rarity = counts.astype(float) ** -0.25
    rarity -= rarity.min()
    return (smallest + (largest - smallest) * rarity / max(rarity.max(), 1e-12)).astype(np.float32)
