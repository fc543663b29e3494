"""Index images moved towards their neighbours."""

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.expansion.similarity_weights import similarity_weights
from landmark_zoo.retrieval.expansion.sum_of_neighbours import sum_of_neighbours
from landmark_zoo.retrieval.neighbours import neighbours as nearest
from landmark_zoo.retrieval.processed import processed


def database_augmentation(index: EmbeddingSet, neighbours: int = 10, alpha: float | None = None) -> EmbeddingSet:
    """Returns every index image plus the weighted sum of its neighbours in the index, L2-normalised.

    Turcot and Lowe, ICCV Workshops 2009; weights by place as in the second place of the Google Landmark Retrieval challenge
    of 2019: with N = neighbours + 1, the image itself counts N / N, its r-th neighbour (N - r) / N; one of negative
    similarity counts 0. All sums are made of the embeddings as they were, and no query has a part in them.

    Args:
        index: Embeddings of the index images.
        neighbours: How many others each image takes in.
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
    return processed(index, sum_of_neighbours(index.vectors, index.vectors, rows, weights),
                     f"database augmentation: {neighbours} neighbours, {words}")
