"""Retrieval on Revisited Oxford and Paris, from embeddings."""

from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.measure_graded import measure_graded
from landmark_zoo.evaluation.results import Results
from landmark_zoo.evaluation.revisited import RevisitedBenchmark
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def evaluate_revisited(benchmark: RevisitedBenchmark, queries: EmbeddingSet, index: EmbeddingSet, name: str,
                       seed: int = 0) -> Results:
    """Ranks all index images for every query and measures (`measure_graded`).

    Args:
        benchmark: What should be found.
        queries: Embeddings of the queries; those of other ids are left aside.
        index: Embeddings of the index images, of the same model.
        name: What the report will call it.
        seed: Of the bootstrap.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark.
    """
    return measure_graded(benchmark, embedded_answers(benchmark, queries, index), name, seed)
