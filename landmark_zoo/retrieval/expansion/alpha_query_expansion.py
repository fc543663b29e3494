"""Queries moved towards what they find first."""

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.expansion.similarity_weights import similarity_weights
from landmark_zoo.retrieval.expansion.sum_of_neighbours import sum_of_neighbours
from landmark_zoo.retrieval.neighbours import neighbours as nearest
from landmark_zoo.retrieval.processed import processed


def alpha_query_expansion(queries: EmbeddingSet, index: EmbeddingSet, neighbours: int = 10,
                          alpha: float = 3.0) -> EmbeddingSet:
    """Returns q + sum (q . x_i)^alpha x_i over the first index images x_i, L2-normalised.

    Radenovic, Tolias, Chum, TPAMI 2019; with alpha 0 it is average query expansion (Chum et al., ICCV 2007). The query
    counts once: an index image with its id is passed over. A negative similarity counts 0.

    Args:
        queries: Each is expanded by itself; other queries do not matter.
        index: Embeddings of the index images, of the same model.
        neighbours: How many index images.
        alpha: The larger, the less the later ones count; 0 or more.

    Raises:
        UserError: Embeddings of two models, or a negative alpha.
    """
    rows, similarities = nearest(queries, index, neighbours)
    sums = sum_of_neighbours(queries.vectors, index.vectors, rows, similarity_weights(similarities, alpha))
    return processed(queries, sums, f"query expansion: {neighbours} neighbours, alpha {alpha:g}")
