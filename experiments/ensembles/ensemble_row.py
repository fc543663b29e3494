"""One line of a leave-one-out report."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.bootstrap import bootstrap_interval

MAIN = ("mAP@100", "mAP/Medium")
HEADER = ("members", "metric", "mAP", "low", "high", "difference_to_all", "difference_low", "difference_high", "queries",
          "ms_per_picture", "megabytes", "dimension")


@dataclass(frozen=True)
class EnsembleRow:
    """What a combination of members scores and costs.

    Attributes:
        title: Which members.
        results: Its evaluation.
        dimension: Of its embeddings.
        ms: Milliseconds per picture: its members' added up, each with its own decoding, which an exported ensemble does
            once.
        megabytes: Its members' added up.
    """

    title: str
    results: Results
    dimension: int
    ms: float
    megabytes: float

    @property
    def metric(self) -> str:
        """The mean average precision whose terms are in `results.per_query`."""
        return next((name for name in MAIN if name in self.results.metrics), next(iter(self.results.metrics)))

    def cells(self, everyone: "EnsembleRow", seed: int = 0) -> list[object]:
        """Returns the row under `HEADER`: figures in per cent, the difference query by query to the whole ensemble."""
        figure = self.results.metrics[self.metric]
        difference = ["", "", ""]
        if self is not everyone:
            ours, theirs = (_average_precisions(row.results) for row in (self, everyone))
            values = np.array([ours[query] - theirs[query] for query in theirs if query in ours])
            difference = [f"{100 * value:+.2f}" for value in bootstrap_interval(values, seed=seed)]
        return [self.title, self.metric, *(f"{100 * figure[key]:.2f}" for key in ("value", "low", "high")), *difference,
                figure["queries"], f"{self.ms:.1f}", f"{self.megabytes:.1f}", self.dimension]


def _average_precisions(results: Results) -> dict[str, float]:
    return {row["query_id"]: row["average_precision"] for row in results.per_query}
