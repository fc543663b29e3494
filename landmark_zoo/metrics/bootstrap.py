"""How far a mean over queries could be off."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.metrics.percentile_interval import percentile_interval


def bootstrap_interval(values: Sequence[float] | np.ndarray, resamples: int = 2000, level: float = 0.95,
                       seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over queries and its percentile bootstrap interval.

    Queries are drawn with replacement; those without a value (NaN) are left out before.

    Args:
        values: One figure per query.
        resamples: How many samples are drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: The same seed gives the same interval.

    Returns:
        `(mean, low, high)`; three NaN where no query has a value.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return (float("nan"),) * 3
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    return float(values.mean()), *percentile_interval(means, level)
