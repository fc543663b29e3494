"""Bootstrap confidence intervals of means over queries, over landmarks and their queries, and over runs and queries."""

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

    Example:
        >>> percentile_interval(range(1001), 0.5)
        (250.0, 750.0)
    """
    if len(resampled) < 1000:
        raise ValueError(f"Expected 1000 resamples or more; received {len(resampled)}.")
    if not 0 < level < 1:
        raise ValueError(f"Expected a level between 0 and 1; received {level}.")
    low, high = np.nanquantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_interval(values: Sequence[float] | np.ndarray, resamples: int = 2000, level: float = 0.95,
                       seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over queries and its percentile bootstrap interval.

    Queries are drawn with replacement; those without a value (NaN) are left out before.

    Args:
        values: One figure per query.
        resamples: Number of samples drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: Seed of the resampling; the same seed gives the same interval.

    Returns:
        `(mean, low, high)`; three NaN where no query has a value.

    Example:
        >>> bootstrap_interval([0.5, 0.5, float("nan")])
        (0.5, 0.5, 0.5)
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return (float("nan"),) * 3
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    return float(values.mean()), *percentile_interval(means, level)


def clustered_bootstrap_interval(values: Sequence[float] | np.ndarray, clusters: Sequence[int] | np.ndarray,
                                 resamples: int = 2000, level: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over queries and its percentile interval when whole landmarks are drawn anew.

    Queries of one landmark are alike: drawn one by one they would promise more than they know (the cluster bootstrap of
    Davison & Hinkley, 1997, sec. 3.8). Of very few landmarks the interval says less than it should: with two, every other
    resample is what was measured.

    Args:
        values: One figure per query, without NaN; differences of two systems for a paired comparison.
        clusters: Landmark of each query.
        resamples: Number of samples drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: Seed of the resampling; the same seed gives the same interval.

    Returns:
        `(mean, low, high)`.

    Raises:
        ValueError: No query, a NaN, unlike lengths, fewer than 1000 resamples, a level outside 0..1.

    Example:
        >>> mean, low, high = clustered_bootstrap_interval([0.2, 0.2, 0.5, 0.5], [7, 7, 8, 8])
        >>> round(mean, 4), low, high
        (0.35, 0.2, 0.5)
    """
    values = np.asarray(values, dtype=np.float64)
    _, places = np.unique(np.asarray(clusters), return_inverse=True)
    if values.ndim != 1 or values.size == 0 or np.isnan(values).any() or places.shape != values.shape:
        raise ValueError(f"Expected a figure without NaN and a cluster of each query; received shapes {values.shape} and "
                         f"{places.shape}, {np.isnan(values).sum()} NaN.")
    sums, counts = np.bincount(places, values), np.bincount(places)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    return float(values.mean()), *percentile_interval((drawn @ sums) / (drawn @ counts), level)


def crossed_bootstrap_interval(values: np.ndarray, resamples: int = 2000, level: float = 0.95,
                               seed: int = 0) -> tuple[float, float, float]:
    """Returns the mean over runs and queries and its percentile interval when both are drawn anew.

    Each resample draws runs with replacement and, independently, queries with replacement, and averages the cells of the
    chosen rows and columns (the "pigeonhole bootstrap" of Owen, Annals of Applied Statistics 2007). Of very few runs the
    interval says less than it should about the spread between them: with three, no resample can spread farther than they do.

    Args:
        values: [S, Q], one figure per run and query; differences of two systems for a paired comparison.
        resamples: Number of samples drawn, 1000 or more.
        level: Share of the resampled means inside the interval.
        seed: Seed of the resampling; the same seed gives the same interval.

    Returns:
        `(mean, low, high)`.

    Raises:
        ValueError: No run or query, a NaN, fewer than 1000 resamples, a level outside 0..1.

    Example:
        >>> mean, low, high = crossed_bootstrap_interval([[0.2, 0.4], [0.3, 0.5]])
        >>> round(mean, 4), low < mean < high
        (0.35, True)
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
