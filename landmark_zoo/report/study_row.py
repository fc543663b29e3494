"""The runs of one block as one row."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.metrics.crossed_bootstrap import crossed_bootstrap_interval
from landmark_zoo.report.difference import Difference
from landmark_zoo.report.study_run import COSTS, StudyRun

BASELINE, OFF_THE_SHELF = "baseline", "off_the_shelf"


@dataclass(frozen=True)
class StudyRow:
    """A block, trained by one method with several seeds; figures are fractions.

    Attributes:
        method: "frozen", "end_to_end" or "off_the_shelf".
        block: The attention block, "baseline" for none.
        values: Mean average precision by seed.
        low: Lower end of the 95 % interval over queries, of the mean over seeds.
        high: Upper end of it.
        before: Mean over seeds before training; None where it was not measured.
        difference: To the baseline of the same method (of "off_the_shelf": of "frozen"), with an interval over queries and
            seeds; None for the baseline itself and where there is none.
        costs: Means over seeds of `StudyRun.costs`.
    """

    method: str
    block: str
    values: dict[int, float]
    low: float
    high: float
    before: float | None
    difference: Difference | None
    costs: dict[str, float]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds (n - 1); None for one seed."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    @property
    def label(self) -> str:
        """What a reader is told it is."""
        return "off the shelf + PCA" if self.method == OFF_THE_SHELF else self.block


def study_rows(runs: Sequence[StudyRun]) -> list[StudyRow]:
    """Returns one row for each method and block, in the order of the runs.

    Raises:
        UserError: Runs that were not measured on the same queries by the same protocol.
    """
    first = runs[0].result
    queries = sorted(first.average_precision)
    for run in runs:
        if not run.result.comparable(first) or sorted(run.result.average_precision) != queries:
            raise UserError(f"all runs of a study on {first.benchmark} with {len(queries)} queries",
                            f"{run.result.benchmark} with {len(run.result.average_precision)}",
                            "Remove the runs of another benchmark.")
    groups: dict[tuple[str, str], dict[int, StudyRun]] = {}
    for run in runs:
        groups.setdefault((run.method, run.block), {})[run.seed] = run
    return [_row(method, block, group, groups, queries) for (method, block), group in groups.items()]


def _row(method: str, block: str, group: dict[int, StudyRun], groups: dict, queries: list[str]) -> StudyRow:
    figures = {seed: _figures(run, queries) for seed, run in group.items()}
    _, low, high = bootstrap_interval(np.mean(list(figures.values()), axis=0))
    baseline = groups.get(("frozen" if method == OFF_THE_SHELF else method, BASELINE))
    before = [run.before for run in group.values() if run.before is not None]
    return StudyRow(method, block, {seed: float(values.mean()) for seed, values in figures.items()}, low, high,
                    statistics.fmean(before) if before else None,
                    _difference(figures, baseline, queries) if baseline and baseline is not group else None,
                    {key: statistics.fmean(run.costs[key] for run in group.values()) for key in COSTS})


def _difference(figures: dict[int, np.ndarray], baseline: dict[int, StudyRun], queries: list[str]) -> Difference | None:
    """Pairs runs of the same seed, since they share order, views and start; what has one run only meets every seed."""
    if len(figures) == 1 and len(baseline) > 1:
        figures = dict.fromkeys(baseline, next(iter(figures.values())))
    shared = sorted(figures.keys() & baseline.keys())
    if not shared:
        return None
    paired = np.array([figures[seed] - _figures(baseline[seed], queries) for seed in shared])
    return Difference(*crossed_bootstrap_interval(paired), len(queries))


def _figures(run: StudyRun, queries: list[str]) -> np.ndarray:
    return np.array([run.result.average_precision[query] for query in queries])
