"""The end of every bootstrap."""

from collections.abc import Sequence

import numpy as np


def percentile_interval(resampled: Sequence[float] | np.ndarray, level: float) -> tuple[float, float]:
    """Returns the percentile interval of a figure from its values in resamples (Efron & Tibshirani, 1993, ch. 13).

    Args:
        resampled: The figure in each of 1000 resamples or more; NaN where it has no value, which does not count.
        level: Share of the values inside the interval.

    Returns:
        `(low, high)`.

    Raises:
        ValueError: Fewer than 1000 resamples, or a level not between 0 and 1.
    """
    if len(resampled) < 1000:
        raise ValueError(f"Expected 1000 resamples or more; received {len(resampled)}.")
    if not 0 < level < 1:
        raise ValueError(f"Expected a level between 0 and 1; received {level}.")
    low, high = np.nanquantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
