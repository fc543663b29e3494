"""Answers from embeddings: exact search in the index, and in a million distractors behind it."""

import os
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.aligned import Benchmark, aligned
from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.card_facts import card_facts
from landmark_zoo.evaluation.distractors import Distractors
from landmark_zoo.metrics.dot_products import dot_products
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

SCORES_AT_A_TIME = 2**27


def embedded_answers(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet,
                     distractors: Distractors | None = None) -> Answers:
    """Ranks index images and distractors by their dot products with every query.

    Embeddings of other ids are left aside. Equal scores stand in the order of the benchmark's list, distractors last.

    Args:
        benchmark: Says which are queries and index images, and whose places are wanted.
        queries: Embeddings of the queries.
        index: Embeddings of the index images, of the same model.
        distractors: What else is searched.

    Raises:
        UserError: Embeddings of two models, none of the benchmark, or distractors with NaN.
    """
    queries, index = aligned(benchmark, queries, index)
    distractors = distractors or Distractors()
    ids, shards = [*index.ids, *distractors.ids], [index.vectors, *distractors.shards]
    rows = {image: row for row, image in enumerate(index.ids)}
    step = max(1, SCORES_AT_A_TIME // len(ids))
    by_query = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(queries), step):
            some = queries.ids[start:start + step]
            try:
                with threadpool_limits(1, "blas"):
                    scores = dot_products(queries.vectors[start:start + step], shards)
            except ValueError as error:
                raise UserError("embeddings of finite numbers", str(error), "Embed them again.") from error
            labelled = map(benchmark.labelled_ids, some)
            found = pool.map(lambda row, wanted: Answer.of_scores(row, ids, rows, wanted), scores, labelled)
            by_query.update(zip(some, found, strict=True))
    return Answers(by_query, {
        **card_facts(queries.provenance, index.provenance, index.model_fingerprint), "distractors": distractors.description,
        "index_images": len(index), "index_images_missing": len(benchmark.index_ids) - len(index)})
