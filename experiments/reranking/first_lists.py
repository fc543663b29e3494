"""The first candidates of every query, by embeddings."""

from typing import NamedTuple

import numpy as np

from landmark_zoo.evaluation.aligned import Benchmark, aligned
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex

DEPTH = 100


class FirstList(NamedTuple):
    """What a query found, best first.

    Attributes:
        ids: At most `DEPTH` index images.
        scores: float32, their cosines.
    """

    ids: list[str]
    scores: np.ndarray


def first_lists(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet) -> dict[str, FirstList]:
    """Returns the list of each query that has an embedding.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark.
    """
    queries, index = aligned(benchmark, queries, index)
    found, scores = ExactIndex.of(index).search(queries.vectors, DEPTH)
    return {query: FirstList(ids, row) for query, ids, row in zip(queries.ids, found, scores, strict=True)}
