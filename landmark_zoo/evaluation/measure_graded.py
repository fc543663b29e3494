"""Retrieval on Oxford and Paris, first and revisited: mAP and mP@k in each grade."""

import math

from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.evaluation.measured import measured
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.average_precision import average_precision
from landmark_zoo.metrics.precision_at_k import precision_at_k

PRECISION_AT = (1, 5, 10)


def measure_graded(benchmark: GradedBenchmark, answers: Answers, name: str, seed: int = 0) -> Results:
    """Measures mAP and mP@1, 5, 10 in each grade of the benchmark.

    A query without an answer counts 0; an index image without one is not found. A query without positives in a grade is not
    in its mean.

    Args:
        benchmark: What should be found.
        answers: What was found.
        name: What the report will call it.
        seed: Of the bootstrap.

    Returns:
        The results. Metrics are called "mAP" in the first benchmarks, "mAP/Easy", ... in the revisited ones; in `per_query`
        the columns `average_precision` and `positives` are Medium's there, those of all three grades follow.
    """
    figures = [_figures(benchmark, number, answers.of(query)) for number, query in enumerate(benchmark.query_ids)]
    used = sum(any(not math.isnan(row[_named("mAP", grade)]) for grade in benchmark.GRADES) for row in figures)
    return measured(
        benchmark, answers, name, seed, values={metric: [row[metric] for row in figures] for metric in figures[0]},
        per_query=[_row(benchmark, *item) for item in enumerate(figures)], relevance=benchmark.relevance,
        protocol=benchmark.PROTOCOL, average_precision="trapezoid",
        precision="hits in kq places, divided by kq = min(k, place of the last positive)", junk=benchmark.JUNK_RULE,
        queries_used=used, queries_ignored=len(figures) - used)


def _named(metric: str, grade: str) -> str:
    return f"{metric}/{grade}" if grade else metric


def _figures(benchmark: GradedBenchmark, query: int, answer: Answer) -> dict[str, float]:
    figures = {}
    for grade in benchmark.GRADES:
        positives, junk = ({benchmark.index_ids[place] for place in places} for places in benchmark.split(query, grade))
        ranks = answer.ranks(positives, junk)
        figures[_named("mAP", grade)] = average_precision(ranks, len(positives), "trapezoid")
        for k in PRECISION_AT:
            figures[_named(f"mP@{k}", grade)] = precision_at_k(ranks, len(positives), k, "last_positive")
    return figures


def _row(benchmark: GradedBenchmark, query: int, figures: dict[str, float]) -> dict[str, object]:
    counts = {grade: len(benchmark.split(query, grade)[0]) for grade in benchmark.GRADES}
    main = benchmark.MAIN_GRADE
    row = {"query_id": benchmark.query_ids[query], "average_precision": figures[_named("mAP", main)],
           "positives": counts[main]}
    if len(counts) > 1:
        row |= {f"average_precision/{grade}": figures[_named("mAP", grade)] for grade in counts}
        row |= {f"positives/{grade}": count for grade, count in counts.items()}
    return row
