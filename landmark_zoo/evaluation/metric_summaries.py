"""From one figure per query to a mean with its interval."""

import math
from collections.abc import Mapping, Sequence

from landmark_zoo.metrics.bootstrap import bootstrap_interval

RESAMPLES, LEVEL = 2000, 0.95
INTERVAL = f"bootstrap over queries, percentile, {RESAMPLES} resamples, level {LEVEL}"


def metric_summaries(values: Mapping[str, Sequence[float]], seed: int) -> dict[str, dict[str, float]]:
    """Returns `{"value", "low", "high", "queries"}` for each metric.

    Args:
        values: Metric name to one figure per query, NaN where the query does not count.
        seed: Of the bootstrap.

    Returns:
        The metrics in the same order; one for which no query counts is left out.
    """
    summaries = {}
    for name, figures in values.items():
        counted = [figure for figure in figures if not math.isnan(figure)]
        if counted:
            mean, low, high = bootstrap_interval(counted, RESAMPLES, LEVEL, seed)
            summaries[name] = {"value": mean, "low": low, "high": high, "queries": len(counted)}
    return summaries
