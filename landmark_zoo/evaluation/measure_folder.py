"""Instance search among one's own photographs: mAP, each photograph against all others."""

from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.measured import measured
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.average_precision import average_precision
from landmark_zoo.metrics.precision_at_k import precision_at_k

PRECISION_AT = (1, 10)


def measure_folder(benchmark: FolderBenchmark, answers: Answers, name: str, seed: int = 0) -> Results:
    """Measures mAP over the whole ranking by finite sum, P@1 and P@10; each query is taken out of its own ranking.

    Args:
        benchmark: What should be found.
        answers: What was found.
        name: What the report will call it.
        seed: Of the bootstrap.
    """
    figures = {}
    for query in benchmark.query_ids:
        positives = benchmark.positives(query)
        ranks = answers.of(query).ranks(positives, {query})
        figures[query] = {"mAP": average_precision(ranks, len(positives), "finite_sum"),
                          **{f"P@{k}": precision_at_k(ranks, len(positives), k, "positives") for k in PRECISION_AT}}
    return measured(
        benchmark, answers, name, seed, values={key: [row[key] for row in figures.values()]
                                                for key in next(iter(figures.values()))},
        per_query=[{"query_id": query, "average_precision": row["mAP"], "positives": len(benchmark.positives(query))}
                   for query, row in figures.items()],
        relevance=lambda query, image: _relevance(benchmark, query, image), protocol="folder",
        crop="none, the benchmark has no boxes", average_precision="finite sum",
        precision="hits in k places, divided by min(k, positives)",
        junk="the query itself, removed before ranks are counted", queries_used=len(figures),
        queries_ignored=benchmark.queries_ignored)


def _relevance(benchmark: FolderBenchmark, query: str, image: str) -> str:
    if image == query:
        return "junk"
    return "positive" if image in benchmark.labelled_ids(query) else "negative"
