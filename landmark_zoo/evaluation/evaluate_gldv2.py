"""Retrieval on GLDv2: mAP@100."""

import numpy as np

from landmark_zoo.evaluation.aligned import aligned
from landmark_zoo.evaluation.card_facts import card_facts
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.metric_summaries import metric_summaries
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results
from landmark_zoo.metrics.average_precision_at_k import average_precision_at_k
from landmark_zoo.metrics.precision_at_k import precision_at_k
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex

DEPTH, PRECISION_AT = 100, (1, 10)


def evaluate_gldv2(benchmark: Gldv2Benchmark, queries: EmbeddingSet, index: EmbeddingSet, name: str,
                   seed: int = 0) -> Results:
    """Ranks the index images for every query and measures mAP@100, P@1 and P@10, on all queries and by usage.

    Embeddings of other ids are left aside. A query without an embedding counts 0, as in the official evaluation; an
    index image without one is not found.

    Args:
        benchmark: What should be found.
        queries: Embeddings of the queries.
        index: Embeddings of the index images, of the same model.
        name: What the report will call it.
        seed: Of the bootstrap.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark.
    """
    queries, index = aligned(benchmark, queries, index)
    found, scores = ExactIndex.of(index).search(queries.vectors, DEPTH)
    rankings = dict(zip(queries.ids, found, strict=True))
    figures = {query: _figures(rankings.get(query, []), benchmark.positives[query]) for query in benchmark.query_ids}
    card = ProtocolCard(
        protocol="gldv2_retrieval", crop="none, the benchmark has no boxes",
        average_precision=f"finite sum over {DEPTH} places, divided by min(positives, {DEPTH})",
        precision="hits in k places, divided by min(k, positives)", junk="none in this benchmark",
        queries_used=len(figures), queries_ignored=benchmark.queries_ignored,
        **card_facts(benchmark, queries, index, seed))
    per_query = [{"query_id": query, "average_precision": row[f"mAP@{DEPTH}"],
                  "positives": len(benchmark.positives[query])} for query, row in figures.items()]
    ranking = [(query, rank, image, float(score), "positive" if image in benchmark.positives[query] else "negative")
               for query, images, row in zip(queries.ids, found, scores, strict=True)
               for rank, (image, score) in enumerate(zip(images, row, strict=True), start=1)]
    return Results(name, card, metric_summaries(_by_usage(figures, benchmark), seed), per_query, ranking)


def _figures(ranking: list[str], positives: frozenset[str]) -> dict[str, float]:
    ranks, count = positive_ranks(ranking, positives), len(positives)
    return {f"mAP@{DEPTH}": average_precision_at_k(ranks, count, DEPTH),
            **{f"P@{k}": precision_at_k(ranks, count, k, "positives") for k in PRECISION_AT}}


def _by_usage(figures: dict[str, dict[str, float]], benchmark: Gldv2Benchmark) -> dict[str, np.ndarray]:
    parts = sorted(set(benchmark.usage.values()) - {""}, reverse=True)
    names = list(next(iter(figures.values())))
    values = {name: np.array([row[name] for row in figures.values()]) for name in names}
    usage = np.array([benchmark.usage[query] for query in figures])
    return {**values, **{f"{name}/{part}": values[name][usage == part] for part in parts for name in names}}
