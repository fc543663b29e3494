"""How far a mean over queries and over training runs could be off."""

import numpy as np

from landmark_zoo.metrics.percentile_interval import percentile_interval


def crossed_bootstrap_interval(values: np.ndarray, resamples: int = 2000, level: float = 0.95,
                               seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over runs and queries and its percentile interval when both are drawn anew.

    Each resample draws runs with replacement and, independently, queries with replacement, and averages the cells of the
    chosen rows and columns (the "pigeonhole bootstrap" of Owen, Annals of Applied Statistics 2007). Of very few runs the
    interval says less than it should about the spread between them: with three, no resample can spread farther than they do.

    Args:
        values: [S, Q], one figure per run and query; differences of two systems for a paired comparison.
        resamples: How many samples are drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: The same seed gives the same interval.

    Returns:
        `(mean, low, high)`.

    Raises:
        ValueError: No run or query, a NaN, fewer than 1000 resamples, a level outside 0..1.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or np.isnan(values).any():
        raise ValueError(f"Expected figures [runs, queries] without NaN; received shape {values.shape}, "
                         f"{np.isnan(values).sum()} NaN.")
    generator = np.random.default_rng(seed)
    runs, queries = (generator.multinomial(count, np.full(count, 1 / count), size=resamples) / count
                     for count in values.shape)
    means = np.einsum("rs,sq,rq->r", runs, values, queries)
    return float(values.mean()), *percentile_interval(means, level)
