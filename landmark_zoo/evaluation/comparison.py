"""Paired comparison of two systems, query by query, with a bootstrap interval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.bootstrap import bootstrap_interval, crossed_bootstrap_interval

SYSTEM = ("training_data", "seed", "versions", "git_commit")  # what is compared, or does not move a metric
BINDING = ("benchmark", "protocol", "ground_truth_sha256", "average_precision", "queries_used")
_EQUAL = 1e-9  # results keep six digits


@dataclass(frozen=True)
class Comparison:
    """Mean of a later system minus that of an earlier one on the same queries, as fractions.

    Most of what makes an average precision vary is the query, and cancels out; hence the interval is narrower than those of
    the two systems suggest.

    Attributes:
        metric: Metric whose per-query figures are compared.
        queries: Query id to its figures `(before, after)`.
        value: Difference of the means.
        low: Lower end of its 95 % interval, by a bootstrap over the differences.
        high: Upper end of its 95 % interval.
    """

    metric: str
    queries: Mapping[str, tuple[float, float]]
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, metric: str, before: Mapping[str, float], after: Mapping[str, float], seed: int = 0) -> "Comparison":
        """Compares the figures of the queries that both have, in the order of the earlier ones.

        Args:
            metric: Name of the figures' mean.
            before: Query to figure, of the earlier system.
            after: Query to figure, of the later system.
            seed: Seed of the bootstrap.

        Example:
            >>> Comparison.of("mAP", {"q": 0.25, "r": 0.5}, {"q": 0.5, "r": 0.75}).value
            0.25
        """
        queries = {query: (figure, after[query]) for query, figure in before.items() if query in after}
        return cls(metric, queries, *bootstrap_interval([later - earlier for earlier, later in queries.values()], seed=seed))

    @classmethod
    def between(cls, before: Results, after: Results) -> "Comparison | None":
        """Compares the average precisions of two systems.

        Returns:
            None where benchmark or protocol differ, or fewer than two queries are shared.
        """
        shared = sorted(before.average_precision.keys() & after.average_precision.keys())
        if not before.comparable(after) or len(shared) < 2:
            return None
        earlier = {query: before.average_precision[query] for query in shared}
        return cls.of(after.main_metric, earlier, after.average_precision)

    @classmethod
    def of_runs(cls, metric: str, queries: Sequence[str], before: np.ndarray, after: np.ndarray) -> "Comparison":
        """Compares two systems that were trained several times; the interval is over runs and queries.

        Args:
            metric: Name of the figures' mean.
            queries: Ids of the Q queries.
            before: Figures of the earlier system, float [runs, Q].
            after: Figures of the later system, float [runs, Q]; runs with one place are paired.
        """
        pairs = zip(before.mean(axis=0).tolist(), after.mean(axis=0).tolist(), strict=True)
        return cls(metric, dict(zip(queries, pairs, strict=True)), *crossed_bootstrap_interval(after - before))

    @property
    def clear(self) -> bool:
        """True where the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    @property
    def wins_losses_ties(self) -> tuple[int, int, int]:
        """Numbers of queries that are better after, worse, and equal."""
        signs = [(after - before > _EQUAL) - (before - after > _EQUAL) for before, after in self.queries.values()]
        return signs.count(1), signs.count(-1), signs.count(0)

    def most_changed(self, count: int) -> list[tuple[str, float, float]]:
        """Returns up to `count` queries with their figures, those that changed most first; unchanged ones are left out."""
        changed = [(query, *both) for query, both in self.queries.items() if both[0] != both[1]]
        return sorted(changed, key=lambda item: (-abs(item[2] - item[1]), item[0]))[:count]


def compare_results(before: str | Path, after: str | Path, allowed: Collection[str] = (), seed: int = 0) -> list[Comparison]:
    """Compares two result folders query by query.

    Args:
        before: Earlier result: its folder, or its `metrics.json`.
        after: Later result: its folder, or its `metrics.json`.
        allowed: Fields of the protocol card that may differ, because they are what is compared. Name, fingerprint and
            training data of the model, seed, versions and commit may differ anyway.
        seed: Seed of the bootstrap.

    Returns:
        One comparison for each grade of difficulty, or just one.

    Raises:
        UserError: Unlike protocols, the fields named; files that are missing or broken.

    Example:
        >>> import tempfile
        >>> from landmark_zoo.evaluation.protocols import evaluate
        >>> from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
        >>> from landmark_zoo.evaluation.rankings import Rankings
        >>> benchmark = Gldv2Benchmark("toy", ("q",), ("a", "b"), {"q": frozenset("b")}, {"q": ""}, 0, "no file")
        >>> folders = []
        >>> for order in ("ab", "ba"):
        ...     folders.append(tempfile.mkdtemp())
        ...     evaluate(benchmark, Rankings.of_lists(benchmark, {"q": list(order)}), order).write(folders[-1], flags={})
        >>> [(found.metric, found.value) for found in compare_results(*folders)]
        [('mAP@100', 0.5)]
    """
    first, second = (Results.read(path, complete=True) for path in (before, after))
    if unknown := [name for name in allowed if name not in first.card.to_dict()]:
        raise UserError(f"fields of the protocol card ({', '.join(first.card.to_dict())})", unknown[0], "Check --allow.")
    unlike = {name: values for name, values in first.card.differences(second.card).items() if name not in SYSTEM}
    refused = [name for name in unlike if name not in allowed or name in BINDING]
    if refused:
        words = "; ".join(f"{name}: {unlike[name][0]} and {unlike[name][1]}" for name in refused)
        free = [name for name in refused if name not in BINDING]
        raise UserError("results of one protocol", f"unlike ones ({words})",
                        f"If that is what you compare: --allow={','.join(free)}." if free == refused
                        else "They cannot be compared.")
    tables = first.average_precisions, second.average_precisions
    if tables[0].keys() != tables[1].keys() or any(tables[0][metric].keys() != tables[1][metric].keys()
                                                   for metric in tables[0]):
        raise UserError("results on the same queries", "others", "Evaluate both again.")
    return [Comparison.of(metric, figures, tables[1][metric], seed) for metric, figures in tables[0].items()]


def signed(difference: float) -> str:
    """Returns a difference of fractions in points with its sign: -0.0123 is "−1.2"."""
    return f"{100 * difference:+.1f}".replace("-", "−")
