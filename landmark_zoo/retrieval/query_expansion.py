"""Query expansion and database augmentation: embeddings moved towards their nearest neighbors in the index.

Alpha query expansion (Radenovic, Tolias, Chum, TPAMI 2019), average query expansion (Chum et al., ICCV 2007), database-side
feature augmentation (Turcot and Lowe, ICCV Workshops 2009).
"""

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet, with_vectors
from landmark_zoo.retrieval.index.exact import k_nearest_neighbors as nearest


def similarity_weights(similarities: np.ndarray, alpha: float) -> np.ndarray:
    """Returns similarity^alpha, and 0 for a similarity of 0 or less.

    An odd power of a negative similarity would subtract a neighbour, an even one add what is unlike. With alpha 0 every
    other neighbour counts 1.

    Args:
        similarities: [...], from -1 to 1.
        alpha: 0 or more.

    Raises:
        UserError: A negative or infinite alpha.
    """
    if not 0 <= alpha < np.inf:
        raise UserError("a finite alpha of 0 or more", f"{alpha}", "3 is usual, 0 gives the plain mean.")
    return np.where(similarities > 0, np.maximum(similarities, 0) ** alpha, 0).astype(np.float32)


BLOCK = 1024


def sum_of_neighbors(vectors: np.ndarray, index_vectors: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns v_i + sum_j weights[i, j] index_vectors[rows[i, j]], float32 [N, D], not normalised.

    The result is a new array: where `vectors` and `index_vectors` are the same, every sum is over the vectors as they were.

    Args:
        vectors: float32 [N, D].
        index_vectors: float32 [M, D].
        rows: Rows of `index_vectors`, int [N, k].
        weights: float [N, k].
    """
    sums = vectors.astype(np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = slice(start, start + BLOCK)
        sums[block] += np.einsum("nk,nkd->nd", weights[block].astype(np.float32), index_vectors[rows[block]])
    return sums


def alpha_query_expansion(queries: EmbeddingSet, index: EmbeddingSet, neighbours: int = 10,
                          alpha: float = 3.0) -> EmbeddingSet:
    """Returns q + sum (q . x_i)^alpha x_i over the first index images x_i, L2-normalised.

    Radenovic, Tolias, Chum, TPAMI 2019; with alpha 0 it is average query expansion (Chum et al., ICCV 2007). The query
    counts once: an index image with its id is passed over. A negative similarity counts 0.

    Args:
        queries: Each is expanded by itself; other queries do not matter.
        index: Embeddings of the index images, of the same model.
        neighbours: Number of index images that are added.
        alpha: The larger, the less the later ones count; 0 or more.

    Raises:
        UserError: Embeddings of two models, or a negative alpha.

    Example:
        >>> index = EmbeddingSet(["a", "b"], np.array([[0.8, 0.6], [0, 1]], np.float32), "model")
        >>> query = EmbeddingSet(["q"], np.array([[1, 0]], np.float32), "model")
        >>> alpha_query_expansion(query, index, neighbours=1, alpha=0).vectors.round(3).tolist()
        [[0.9490000009536743, 0.3160000145435333]]
    """
    rows, similarities = nearest(queries, index, neighbours)
    sums = sum_of_neighbors(queries.vectors, index.vectors, rows, similarity_weights(similarities, alpha))
    return with_vectors(queries, sums, f"query expansion: {neighbours} neighbours, alpha {alpha:g}")


def database_augmentation(index: EmbeddingSet, neighbours: int = 10, alpha: float | None = None) -> EmbeddingSet:
    """Returns every index image plus the weighted sum of its neighbours in the index, L2-normalised.

    Turcot and Lowe, ICCV Workshops 2009; weights by place as in the second place of the Google Landmark Retrieval challenge
    of 2019: with N = neighbours + 1, the image itself counts N / N, its r-th neighbour (N - r) / N; one of negative
    similarity counts 0. All sums are made of the embeddings as they were, and no query has a part in them.

    Args:
        index: Embeddings of the index images.
        neighbours: Number of other images that each image takes in.
        alpha: Weigh neighbours by similarity^alpha instead; a negative similarity counts 0.

    Raises:
        UserError: A negative alpha.
    """
    rows, similarities = nearest(index, index, neighbours)
    if alpha is None:
        by_place = 1 - np.arange(1, rows.shape[1] + 1) / (neighbours + 1)
        weights, words = np.where(similarities > 0, by_place, 0), "weights by place"
    else:
        weights, words = similarity_weights(similarities, alpha), f"alpha {alpha:g}"
    return with_vectors(index, sum_of_neighbors(index.vectors, index.vectors, rows, weights),
                     f"database augmentation: {neighbours} neighbours, {words}")
