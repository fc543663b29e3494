"""From figures per query to results."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from landmark_zoo.core.provenance import git_commit
from landmark_zoo.evaluation.aligned import Benchmark
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.metric_summaries import INTERVAL, metric_summaries
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results


def measured(benchmark: Benchmark, answers: Answers, name: str, seed: int, *, values: Mapping[str, Sequence[float]],
             per_query: Sequence[Mapping[str, Any]], relevance: Callable[[str, str], str], depth: int | None = None,
             **rules: Any) -> Results:
    """Puts the results of any protocol together.

    Args:
        benchmark: What was measured on.
        answers: What was measured.
        name: What the report will call it.
        seed: Of the bootstrap.
        values: Metric name to one figure per query, NaN where the query does not count.
        per_query: Rows of `Results.per_query`.
        relevance: From query and index image to a word of `Results.ranking`.
        depth: How many places of a ranking the protocol looks at; None for all.
        **rules: The fields of the card that the protocol decides.
    """
    places = min((limit for limit in (depth, answers.depth) if limit is not None), default=None)
    card = ProtocolCard(**{
        "benchmark": benchmark.name, "ground_truth_sha256": benchmark.ground_truth_sha256,
        "queries_missing": len(set(benchmark.query_ids).difference(answers.by_query)), "interval": INTERVAL, "seed": seed,
        "git_commit": git_commit(), "depth": f"{places} places at most" if places else "the whole index", **answers.facts,
        **rules})
    ranking = [(query, rank, image, score, relevance(query, image)) for query in benchmark.query_ids
               for rank, (image, score) in enumerate(answers.of(query).first, start=1)]
    return Results(name, card, metric_summaries(values, seed), per_query, ranking)
