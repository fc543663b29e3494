"""How much better one system is than another on the same queries."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.report.result import Result


@dataclass(frozen=True)
class Difference:
    """Mean average precision of the later system minus that of the earlier one, as fractions.

    Attributes:
        value: The difference of the means.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        queries: The number of queries that both have.
    """

    value: float
    low: float
    high: float
    queries: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def signed(difference: float) -> str:
    """Returns a difference of fractions in points with its sign: -0.0123 is "−1.2"."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def paired_difference(before: Result, after: Result) -> Difference | None:
    """Compares two systems query by query: a bootstrap over the differences of their average precisions.

    Most of what makes an average precision vary is the query, and cancels out; hence the interval is narrower than
    those of the two systems suggest.

    Returns:
        None where benchmark or protocol differ, or fewer than two queries are shared.
    """
    shared = sorted(before.average_precision.keys() & after.average_precision.keys())
    if not before.comparable(after) or len(shared) < 2:
        return None
    differences = np.array([after.average_precision[query] - before.average_precision[query] for query in shared])
    return Difference(*bootstrap_interval(differences), len(shared))
