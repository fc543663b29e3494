"""Retrieval on Revisited Oxford and Paris: mAP and mP@k, Easy, Medium and Hard."""

import math

import numpy as np

from landmark_zoo.evaluation.aligned import aligned
from landmark_zoo.evaluation.card_facts import NOT_STATED, card_facts
from landmark_zoo.evaluation.metric_summaries import metric_summaries
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import RANKING_DEPTH, Results
from landmark_zoo.evaluation.revisited import DIFFICULTIES, RevisitedBenchmark
from landmark_zoo.metrics.average_precision import average_precision
from landmark_zoo.metrics.precision_at_k import precision_at_k
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex

PRECISION_AT = (1, 5, 10)


def evaluate_revisited(benchmark: RevisitedBenchmark, queries: EmbeddingSet, index: EmbeddingSet, name: str,
                       seed: int = 0) -> Results:
    """Ranks all index images for every query and measures mAP and mP@1, 5, 10 for each difficulty.

    Embeddings of other ids are left aside. A query without an embedding counts 0; an index image without one is not
    found. A query without positives of a difficulty is not in its mean.

    Args:
        benchmark: What should be found.
        queries: Embeddings of the queries.
        index: Embeddings of the index images, of the same model.
        name: What the report will call it.
        seed: Of the bootstrap.

    Returns:
        The results; in `per_query` the columns `average_precision` and `positives` are Medium's, those of all three
        difficulties follow.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark.
    """
    queries, index = aligned(benchmark, queries, index)
    searched = ExactIndex.of(index)
    place = {image: number for number, image in enumerate(benchmark.index_ids)}
    places = np.array([place[image] for image in index.ids])
    vectors = dict(zip(queries.ids, queries.vectors, strict=True))
    figures, ranking = [], []
    for number, query in enumerate(benchmark.query_ids):
        images, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        if query in vectors:
            positions, found = searched.search_positions(vectors[query][np.newaxis], len(index))
            images, scores = places[positions[0]], found[0]
        figures.append(_figures(benchmark, number, images))
        ranking.extend(
            (query, rank, benchmark.index_ids[image], float(score), benchmark.relevance(number, image))
            for rank, (image, score) in enumerate(zip(images[:RANKING_DEPTH], scores, strict=False), start=1))
    used = sum(any(not math.isnan(row[f"mAP/{difficulty}"]) for difficulty in DIFFICULTIES) for row in figures)
    card = ProtocolCard(
        protocol="revisited", crop=_crop(queries), average_precision="trapezoid",
        precision="hits in kq places, divided by kq = min(k, place of the last positive)",
        junk="removed before ranks are counted; Easy: junk and hard, Medium: junk, Hard: junk and easy",
        queries_used=used, queries_ignored=len(figures) - used, **card_facts(benchmark, queries, index, seed))
    summaries = metric_summaries({metric: [row[metric] for row in figures] for metric in figures[0]}, seed)
    return Results(name, card, summaries, [_row(benchmark, *item) for item in enumerate(figures)], ranking)


def _figures(benchmark: RevisitedBenchmark, query: int, images: np.ndarray) -> dict[str, float]:
    figures = {}
    for difficulty in DIFFICULTIES:
        positives, junk = benchmark.split(query, difficulty)
        ranks = positive_ranks(images, positives, junk)
        figures[f"mAP/{difficulty}"] = average_precision(ranks, len(positives), "trapezoid")
        for k in PRECISION_AT:
            figures[f"mP@{k}/{difficulty}"] = precision_at_k(ranks, len(positives), k, "last_positive")
    return figures


def _row(benchmark: RevisitedBenchmark, query: int, figures: dict[str, float]) -> dict[str, object]:
    counts = {difficulty: len(benchmark.split(query, difficulty)[0]) for difficulty in DIFFICULTIES}
    return {"query_id": benchmark.query_ids[query], "average_precision": figures["mAP/Medium"],
            "positives": counts["Medium"],
            **{f"average_precision/{difficulty}": figures[f"mAP/{difficulty}"] for difficulty in DIFFICULTIES},
            **{f"positives/{difficulty}": count for difficulty, count in counts.items()}}


def _crop(queries: EmbeddingSet) -> str:
    cropped = queries.provenance.get("cropped")
    if cropped is None:
        return NOT_STATED
    return "queries cut to their boxes, in pixels of the file, before the resize" if cropped else "none, whole queries"
