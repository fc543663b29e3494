"""One system's evaluation, read from the files it left."""

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json

TOP = 10
MAIN = ("mAP@100", "mAP/Medium")
FIRST_RIGHT = ("P@1", "mP@1/Medium")
RELEVANCES = ("positive", "easy", "hard", "negative", "junk")


@dataclass(frozen=True)
class Measure:
    """A figure and its 95 % interval, all fractions; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Answer:
    """One image of a ranking.

    Attributes:
        index_id: The index image.
        rank: Its place, from 1.
        score: Its similarity to the query.
        relevance: One of `RELEVANCES`.
    """

    index_id: str
    rank: int
    score: float
    relevance: str


@dataclass(frozen=True)
class Result:
    """What an evaluation measured.

    Attributes:
        name: The system.
        benchmark: What it was measured on.
        protocol: How: "gldv2_retrieval" or "revisited".
        metrics: Metric name to figure.
        queries_used: How many queries count.
        queries_ignored: How many have no positive.
        card: The protocol card.
        average_precision: Query id to its average precision, ignored queries left out.
        positives: Query id to its number of positives.
        answers: Query id to the first `TOP` images, in order.
    """

    name: str
    benchmark: str
    protocol: str
    metrics: dict[str, Measure]
    queries_used: int
    queries_ignored: int
    card: dict[str, Any]
    average_precision: dict[str, float]
    positives: dict[str, int]
    answers: dict[str, list[Answer]]

    @property
    def main_metric(self) -> str:
        """The mean average precision whose terms are in `average_precision`; in other benchmarks, the first metric."""
        return next((name for name in MAIN if name in self.metrics), next(iter(self.metrics)))

    @property
    def main(self) -> Measure:
        """The main metric's figure."""
        return self.metrics[self.main_metric]

    @property
    def first_right(self) -> Measure | None:
        """The share of queries whose first image, junk aside, is a positive."""
        return next((self.metrics[name] for name in FIRST_RIGHT if name in self.metrics), None)

    def comparable(self, other: "Result") -> bool:
        """Whether both were measured on the same benchmark by the same protocol."""
        return (self.benchmark, self.protocol) == (other.benchmark, other.protocol)


def read_result(directory: str | Path) -> Result:
    """Reads `metrics.json`, `per_query.csv` and `ranking.csv` of an evaluation.

    Raises:
        UserError: A file is missing or broken, or holds something else than the evaluation writes.
    """
    directory = Path(directory)
    path = directory / "metrics.json"
    facts = read_json(path)
    try:
        metrics = {name: _measure(name, figures) for name, figures in facts["metrics"].items()}
        if not metrics:
            raise ValueError("no metric")
        head = {"name": str(facts["name"]), "benchmark": str(facts["benchmark"]), "protocol": str(facts["protocol"]),
                "queries_used": int(facts["queries_used"]), "queries_ignored": int(facts["queries_ignored"]),
                "card": dict(facts["card"])}
        average_precision, positives = _per_query(directory / "per_query.csv")
        return Result(**head, metrics=metrics, average_precision=average_precision, positives=positives,
                      answers=_answers(directory / "ranking.csv"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"an evaluation's files in {directory}", f"{type(error).__name__}: {error}",
                        "Run experiments.evaluate again.") from error


def _measure(name: str, figures: dict[str, Any]) -> Measure:
    values = {key: figures[key] for key in ("value", "low", "high")}
    for key, value in values.items():
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{name} has the {key} {value}, which is no fraction")
    return Measure(**values)


def _per_query(path: Path) -> tuple[dict[str, float], dict[str, int]]:
    average_precision, positives = {}, {}
    for row in read_csv(path, ["query_id", "average_precision", "positives"]):
        positives[row["query_id"]] = int(row["positives"])
        value = float(row["average_precision"] or "nan")
        if not math.isnan(value):
            average_precision[row["query_id"]] = value
    return average_precision, positives


def _answers(path: Path) -> dict[str, list[Answer]]:
    answers = defaultdict(list)
    for row in read_csv(path, ["query_id", "rank", "index_id", "score", "relevance"]):
        if row["relevance"] not in RELEVANCES:
            raise ValueError(f"relevance {row['relevance']!r} in {path.name}")
        rank = int(row["rank"])
        if rank <= TOP:
            answers[row["query_id"]].append(Answer(row["index_id"], rank, float(row["score"]), row["relevance"]))
    return {query: sorted(found, key=lambda answer: answer.rank) for query, found in answers.items()}
