"""Results of one system on one benchmark: measured, written to a folder, read again."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from landmark_zoo.core.errors import UserError, printable
from landmark_zoo.core.files import read_csv, read_json, write_csv, write_json
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.strict_json import check_form
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.rankings import Rankings
from landmark_zoo.metrics.bootstrap import bootstrap_interval

TOP = 10
MAIN_METRICS = ("mAP@100", "mAP/Medium")
FIRST_RIGHT = ("P@1", "mP@1/Medium")
RELEVANCES = ("positive", "easy", "hard", "negative", "junk")
RESAMPLES, LEVEL = 2000, 0.95
INTERVAL = f"bootstrap over queries, percentile, {RESAMPLES} resamples, level {LEVEL}"
_AP, _BOUND = "average_precision", ("model_fingerprint", "benchmark", "ground_truth_sha256")
_FIGURES = {"value": float, "low": float, "high": float}
_CAPPED_PRECISION = "hits in k places, divided by min(k, positives)"  # what cards said when P@k was what cP@k is


class Measure(NamedTuple):
    """A metric with its 95 % interval, as fractions; None where there is none.

    Attributes:
        value: Mean over the queries.
        low: Lower end of the interval.
        high: Upper end of the interval.
        queries: Number of queries in the mean.
    """

    value: float | None
    low: float | None
    high: float | None
    queries: int | None = None


class RankedImage(NamedTuple):
    """One image of a ranking.

    Attributes:
        index_id: Id of the index image.
        rank: Place in the ranking, from 1.
        score: Similarity to the query; NaN where it is not known.
        relevance: One of `RELEVANCES`.
    """

    index_id: str
    rank: int
    score: float
    relevance: str


@dataclass(frozen=True)
class Results:
    """Metrics of one system on one benchmark, with what they were computed from.

    Attributes:
        name: Name of the system in reports.
        card: Protocol card: the conditions of the measurement.
        metrics: Metric name to its mean and interval.
        per_query: Rows of `per_query.csv`: `query_id`, `average_precision` (NaN where a query does not count), `positives`,
            and perhaps more columns.
        ranking: Query id to the first images of its ranking, best first.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> card = ProtocolCard.from_dict({"benchmark": "toy", "protocol": "folder"}, complete=False)
        >>> Results("one", card, {"mAP": Measure(0.5, 0.4, 0.6, 1)}, [
        ...     {"query_id": "q", "average_precision": 0.5, "positives": 2}], {}).write(folder, flags={})
        >>> Results.read(folder).average_precision
        {'q': 0.5}
    """

    name: str
    card: ProtocolCard
    metrics: Mapping[str, Measure]
    per_query: Sequence[Mapping[str, Any]]
    ranking: Mapping[str, Sequence[RankedImage]]

    def write(self, output: str | Path, flags: Mapping[str, Any]) -> None:
        """Writes `per_query.csv`, `ranking.csv`, `flags.json`, and `metrics.json` last.

        Results of the same model on the same benchmark are replaced.

        Args:
            output: Result folder.
            flags: Resolved flags of the run (`core.provenance.resolved_flags`).

        Raises:
            UserError: The folder holds results of another model, benchmark or ground truth.
        """
        output = Path(output)
        self._check_folder(output)
        write_csv(output / "per_query.csv", list(self.per_query[0]),
                  (map(_cell, row.values()) for row in self.per_query))
        write_csv(output / "ranking.csv", ["query_id", "rank", "index_id", "score", "relevance"],
                  ([query, image.rank, image.index_id, f"{image.score:.6f}", image.relevance]
                   for query, images in self.ranking.items() for image in images))
        write_json(output / "flags.json", dict(flags))
        write_json(output / "metrics.json", {
            "name": self.name, "benchmark": self.card.benchmark, "protocol": self.card.protocol,
            "metrics": {name: measure._asdict() for name, measure in self.metrics.items()},
            "queries_used": self.card.queries_used, "queries_ignored": self.card.queries_ignored,
            "card": self.card.to_dict()})

    def _check_folder(self, output: Path) -> None:
        if not (output / "metrics.json").exists():
            return
        found = read_json(output / "metrics.json", {"card": dict | None}).get("card") or {}
        unlike = [key for key in _BOUND if getattr(self.card, key) != found.get(key)]
        if unlike:
            raise UserError(f"no other results in {output}", f"some with another {', '.join(unlike)}",
                            "Choose another output folder or remove it.")

    @classmethod
    def read(cls, path: str | Path, complete: bool = False) -> "Results":
        """Reads what `write` wrote, now or in an earlier version; figures have the six digits that the files keep.

        Args:
            path: Result folder, or its `metrics.json`.
            complete: Refuse a protocol card of another version, instead of filling it up with "not stated".

        Raises:
            UserError: A file is missing or broken, or holds something else than an evaluation writes.
        """
        path = Path(path)
        path = path if path.suffix == ".json" else path / "metrics.json"
        facts = read_json(path)
        try:
            metrics = {name: _measure(name, figures) for name, figures in _named_metrics(facts).items()}
            if not metrics:
                raise ValueError("no metric")
            head = {key: facts[key] for key in ("benchmark", "protocol", "queries_used", "queries_ignored")}
            card = ProtocolCard.from_dict({**head, **facts["card"]}, complete)
            return cls(str(facts["name"]), card, metrics, _per_query(path.with_name("per_query.csv")),
                       _ranking(path.with_name("ranking.csv")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"a result of experiments.evaluate in {path.parent}", f"{type(error).__name__}: {error}",
                            "Run experiments.evaluate again.") from error

    @property
    def main_metric(self) -> str:
        """Name of the mean of `average_precision`: one of `MAIN_METRICS`, else the first metric."""
        return next((name for name in MAIN_METRICS if name in self.metrics), next(iter(self.metrics)))

    @property
    def main(self) -> Measure:
        """Main metric, a mean average precision."""
        return self.metrics[self.main_metric]

    @property
    def first_right(self) -> Measure | None:
        """Share of queries whose first image, junk aside, is a positive."""
        return next((self.metrics[name] for name in FIRST_RIGHT if name in self.metrics), None)

    @cached_property
    def average_precision(self) -> dict[str, float]:
        """Average precision by query, without the queries that do not count."""
        return _counted(self.per_query, _AP)

    @property
    def average_precisions(self) -> dict[str, dict[str, float]]:
        """Metric to average precision by query, one entry for each grade of difficulty, or just one."""
        grades = {f"mAP/{column.partition('/')[2]}": column for column in self.per_query[0] if column.startswith(f"{_AP}/")}
        return {metric: _counted(self.per_query, column) for metric, column in (grades or {self.main_metric: _AP}).items()}

    @cached_property
    def positives(self) -> dict[str, int]:
        """Number of positives by query."""
        return {row["query_id"]: row["positives"] for row in self.per_query}

    def first_images(self, query_id: str) -> Sequence[RankedImage]:
        """Returns the first `TOP` images of a query's ranking; none where it has no ranking."""
        return self.ranking.get(query_id, ())[:TOP]

    def comparable(self, other: "Results") -> bool:
        """Returns whether both were measured on one benchmark by one protocol."""
        return (self.card.benchmark, self.card.protocol) == (other.card.benchmark, other.card.protocol)

    def table(self) -> str:
        """Returns the metrics as lines of text, in per cent with their intervals."""
        width = max(map(len, self.metrics))
        lines = [f"{printable(name):{width}}  {100 * m.value:6.2f}  [{100 * m.low:6.2f}, {100 * m.high:6.2f}]  "
                 f"{'-' if m.queries is None else m.queries:>5} queries" for name, m in self.metrics.items()]
        card = self.card
        counts = (f"queries: {card.queries_used} used, {card.queries_ignored} ignored, {card.queries_missing} without an "
                  f"answer; index images: {card.index_images}, {card.index_images_missing} missing; distractors: "
                  f"{card.distractors}")
        title = f"{self.name} on {card.benchmark} ({card.protocol}), per cent"
        return "\n".join([printable(title), *lines, printable(counts)])


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6f}"
    return value


def _counted(rows: Sequence[Mapping[str, Any]], column: str) -> dict[str, float]:
    return {row["query_id"]: row[column] for row in rows if not math.isnan(row[column])}


def _named_metrics(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the figures of a `metrics.json` by the names of today: P@10 of an earlier version is cP@10."""
    if (facts.get("card") or {}).get("precision") != _CAPPED_PRECISION:
        return dict(facts["metrics"])
    return {re.sub(r"^P@10\b", "cP@10", name): figures for name, figures in facts["metrics"].items()}


def _measure(name: str, figures: Mapping[str, Any]) -> Measure:
    measure = Measure(figures["value"], figures["low"], figures["high"], figures.get("queries"))
    if not isinstance(measure.queries, int | None):
        raise TypeError(f"{name} of {measure.queries} queries")
    for key, value in zip(_FIGURES, measure, strict=False):
        if isinstance(value, bool) or not 0 <= value <= 1:
            raise ValueError(f"{name} has the {key} {value}, which is no fraction")
    return measure


def _per_query(path: Path) -> list[dict[str, Any]]:
    kinds = {_AP: lambda cell: float(cell or "nan"), "positives": int}
    return [{column: kinds.get(column.partition("/")[0], str)(cell) for column, cell in row.items()}
            for row in read_csv(path, ["query_id", _AP, "positives"])]


def _ranking(path: Path) -> dict[str, list[RankedImage]]:
    ranking = defaultdict(list)
    for row in read_csv(path, ["query_id", "rank", "index_id", "score", "relevance"]):
        if row["relevance"] not in RELEVANCES:
            raise ValueError(f"relevance {row['relevance']!r} in {path.name}")
        image = RankedImage(row["index_id"], int(row["rank"]), float(row["score"]), row["relevance"])
        ranking[row["query_id"]].append(image)
    return {query: sorted(images, key=lambda image: image.rank) for query, images in ranking.items()}


def metric_summaries(values: Mapping[str, Sequence[float]], seed: int) -> dict[str, Measure]:
    """Returns the mean and its interval for each metric.

    Args:
        values: Metric name to one figure per query, NaN where the query does not count.
        seed: Seed of the bootstrap.

    Returns:
        The metrics in the same order; one for which no query counts is left out.
    """
    counted = {name: [figure for figure in figures if not math.isnan(figure)] for name, figures in values.items()}
    return {name: Measure(*bootstrap_interval(figures, RESAMPLES, LEVEL, seed), len(figures))
            for name, figures in counted.items() if figures}


def make_results(benchmark: Benchmark, rankings: Rankings, name: str, seed: int, *, values: Mapping[str, Sequence[float]],
                 per_query: Sequence[Mapping[str, Any]], queries_used: int, depth: int | None = None) -> Results:
    """Puts the results of a protocol together: intervals, protocol card, labelled rankings.

    Args:
        benchmark: Benchmark that was measured on.
        rankings: Rankings that were measured.
        name: Name of the system in reports.
        seed: Seed of the bootstrap.
        values: Metric name to one figure per query, NaN where the query does not count.
        per_query: Rows of `Results.per_query`.
        queries_used: Number of queries that count.
        depth: Number of places of a ranking that the protocol looks at; None for all.

    Raises:
        UserError: No query counts.
    """
    if not queries_used:
        raise UserError(f"a query of {benchmark.name} with positives", f"none of {len(benchmark.query_ids)}",
                        "Check the ground truth.")
    places = min((limit for limit in (depth, rankings.depth) if limit is not None), default=None)
    card = ProtocolCard(**{
        "benchmark": benchmark.name, "ground_truth_sha256": benchmark.ground_truth_sha256, "queries_used": queries_used,
        "queries_ignored": benchmark.queries_ignored,
        "queries_missing": len(set(benchmark.query_ids).difference(rankings.by_query)), "interval": INTERVAL, "seed": seed,
        "git_commit": git_commit(), "depth": f"{places} places at most" if places else "the whole index", **rankings.facts,
        **benchmark.card_fields()})
    ranking = {query: [RankedImage(image, rank, score, benchmark.relevance(query, image))
                       for rank, (image, score) in enumerate(rankings.of(query).first, start=1)]
               for query in benchmark.query_ids}
    return Results(name, card, metric_summaries(values, seed), per_query, ranking)


STATED = ("side", "scales", "aggregation", "whitening", "training_data")


def scores_for_card(directory: str | Path, info: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the metrics of a result folder for the model card of an export.

    A card is written with its export, and an evaluation needs the export: the scores are those of an earlier export of the
    same model. Their protocol card says of which, and must state what the new export will state.

    Args:
        directory: Result folder of `experiments.evaluate`.
        info: Facts that the new export will state of itself.

    Returns:
        "name", "benchmark", "protocol", "metrics" and "card".

    Raises:
        UserError: No results there, or those of a model with other settings.
    """
    facts = read_json(Path(directory) / "metrics.json")
    try:
        check_form(facts["metrics"], {str: _FIGURES}, directory)
        score = {**{key: facts[key] for key in ("name", "benchmark", "protocol")}, "metrics": _named_metrics(facts)}
        card = ProtocolCard.from_dict(facts["card"]).to_dict()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"results of experiments.evaluate in {directory}", f"none ({error})", "Evaluate again.") from error
    for key in STATED:
        if key in info and info[key] != card[key]:
            raise UserError(f"results of a model with {key} {info[key]}", f"{card[key]} in {directory}",
                            "Give results of an earlier export of this model with the same settings.")
    return {**score, "card": card}


def closing_table(folders: Sequence[str | Path]) -> str:
    """Returns mAP@100 with its interval, P@1 and P@10 (a dash where there is none) of results, one line each, in per cent.

    Args:
        folders: Result folders of `experiments.evaluate` for GLDv2 retrieval.
    """
    lines = [f"{'':<22}{'mAP@100':>9}{'95 % interval':>18}{'P@1':>8}{'P@10':>8}"]
    for folder in folders:
        facts = read_json(Path(folder) / "metrics.json", {"name": str, "metrics": {"mAP@100": _FIGURES, "P@1": _FIGURES}})
        mean, first, ten = map(_named_metrics(facts).get, ("mAP@100", "P@1", "P@10"))
        interval = f"[{100 * mean['low']:.1f}, {100 * mean['high']:.1f}]"
        lines.append(f"{facts['name']:<22}{100 * mean['value']:>9.1f}{interval:>18}{100 * first['value']:>8.1f}"
                     + (f"{100 * ten['value']:>8.1f}" if ten else f"{'–':>8}"))
    return "\n".join(lines)


def by_benchmark(results: list[Results]) -> list[list[Results]]:
    """Splits results into groups of one benchmark and protocol each; all orders are kept."""
    groups: dict[tuple[str, str], list[Results]] = {}
    for result in results:
        groups.setdefault((result.card.benchmark, result.card.protocol), []).append(result)
    return list(groups.values())
