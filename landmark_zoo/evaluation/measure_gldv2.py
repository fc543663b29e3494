"""Retrieval on GLDv2: mAP@100."""

import numpy as np

from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measured import measured
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.average_precision_at_k import average_precision_at_k
from landmark_zoo.metrics.precision_at_k import precision_at_k

DEPTH, PRECISION_AT = 100, (1, 10)


def measure_gldv2(benchmark: Gldv2Benchmark, answers: Answers, name: str, seed: int = 0) -> Results:
    """Measures mAP@100, P@1 and P@10, on all queries and by usage.

    A query without an answer counts 0, as in the official evaluation; an index image without one is not found.

    Args:
        benchmark: What should be found.
        answers: What was found.
        name: What the report will call it.
        seed: Of the bootstrap.
    """
    figures = {query: _figures(answers, query, benchmark.positives[query]) for query in benchmark.query_ids}
    per_query = [{"query_id": query, "average_precision": row[f"mAP@{DEPTH}"],
                  "positives": len(benchmark.positives[query])} for query, row in figures.items()]
    return measured(
        benchmark, answers, name, seed, values=_by_usage(figures, benchmark), per_query=per_query,
        relevance=lambda query, image: "positive" if image in benchmark.positives[query] else "negative",
        protocol="gldv2_retrieval", crop="none, the benchmark has no boxes",
        average_precision=f"finite sum over {DEPTH} places, divided by min(positives, {DEPTH})",
        precision="hits in k places, divided by min(k, positives)", junk="none in this benchmark",
        depth=DEPTH,
        queries_used=len(figures), queries_ignored=benchmark.queries_ignored)


def _figures(answers: Answers, query: str, positives: frozenset[str]) -> dict[str, float]:
    ranks, count = answers.of(query).ranks(positives), len(positives)
    return {f"mAP@{DEPTH}": average_precision_at_k(ranks, count, DEPTH),
            **{f"P@{k}": precision_at_k(ranks, count, k, "positives") for k in PRECISION_AT}}


def _by_usage(figures: dict[str, dict[str, float]], benchmark: Gldv2Benchmark) -> dict[str, np.ndarray]:
    parts = sorted(set(benchmark.usage.values()) - {""}, reverse=True)
    names = list(next(iter(figures.values())))
    values = {name: np.array([row[name] for row in figures.values()]) for name in names}
    usage = np.array([benchmark.usage[query] for query in figures])
    return {**values, **{f"{name}/{part}": values[name][usage == part] for part in parts for name in names}}
