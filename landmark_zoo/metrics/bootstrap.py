"""How far a mean over queries could be off."""

from collections.abc import Sequence

import numpy as np


def bootstrap_interval(values: Sequence[float] | np.ndarray, resamples: int = 2000, level: float = 0.95,
                       seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over queries and its percentile bootstrap interval (Efron & Tibshirani, 1993, ch. 13).

    Queries are drawn with replacement; those without a value (NaN) are left out before.

    Args:
        values: One figure per query.
        resamples: How many samples are drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: The same seed gives the same interval.

    Returns:
        `(mean, low, high)`; three NaN where no query has a value.
    """
    if resamples < 1000:
        raise ValueError(f"Expected 1000 resamples or more; received {resamples}.")
    if not 0 < level < 1:
        raise ValueError(f"Expected a level between 0 and 1; received {level}.")
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return (float("nan"),) * 3
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), float(low), float(high)
