"""The embeddings that a benchmark asks for."""

from collections.abc import Collection
from typing import Protocol

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


class Benchmark(Protocol):
    """What every benchmark has."""

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    ground_truth_sha256: str

    def labelled_ids(self, query_id: str) -> Collection[str]:
        """Returns the index images that count for or against a query in another way than plain negatives do."""


def aligned(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet) -> tuple[EmbeddingSet, EmbeddingSet]:
    """Returns the embeddings of the benchmark's queries and index images, in its order; others are left aside.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark's queries or index images.
    """
    index.check_model(queries.dimension, queries.model_fingerprint)
    return (_chosen("queries", benchmark.query_ids, queries, benchmark.name),
            _chosen("index images", benchmark.index_ids, index, benchmark.name))


def _chosen(kind: str, ids: tuple[str, ...], embeddings: EmbeddingSet, name: str) -> EmbeddingSet:
    chosen = embeddings.select(ids)
    if not len(chosen):
        raise UserError(f"embeddings of the {kind} of {name}, such as {ids[0]}",
                        f"{len(embeddings)} of others, such as {embeddings.ids[0]}" if len(embeddings) else "none",
                        "Check the folders of embeddings.")
    absent = sorted(set(ids) - set(chosen.ids))
    if absent:
        logging.warning("%d of %d %s have no embedding and count as not found, first %s", len(absent), len(ids), kind,
                        absent[0])
    return chosen
