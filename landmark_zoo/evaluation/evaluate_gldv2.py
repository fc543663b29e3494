"""Retrieval on GLDv2, from embeddings."""

from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure_gldv2 import measure_gldv2
from landmark_zoo.evaluation.results import Results
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def evaluate_gldv2(benchmark: Gldv2Benchmark, queries: EmbeddingSet, index: EmbeddingSet, name: str,
                   seed: int = 0) -> Results:
    """Ranks the index images for every query and measures (`measure_gldv2`).

    Args:
        benchmark: What should be found.
        queries: Embeddings of the queries; those of other ids are left aside.
        index: Embeddings of the index images, of the same model.
        name: What the report will call it.
        seed: Of the bootstrap.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark.
    """
    return measure_gldv2(benchmark, embedded_answers(benchmark, queries, index), name, seed)
