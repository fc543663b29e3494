"""The photographs of a collection that are most like each of them."""

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.faiss_index import FaissIndex

EXACT_UP_TO = 100_000


def nearest_others(embeddings: EmbeddingSet, k: int) -> np.ndarray:
    """Returns rows of the `k` nearest others, best first, int64 [N, min(k, N - 1)].

    Exact up to `EXACT_UP_TO` embeddings, by a graph (HNSW) beyond: comparing all with all grows with the square.

    Args:
        embeddings: N embeddings.
        k: How many.
    """
    kind = "flat" if len(embeddings) <= EXACT_UP_TO else "hnsw"
    index = FaissIndex(embeddings.dimension, embeddings.model_fingerprint, kind).fit(embeddings.ids, embeddings.vectors)
    rows, _ = index.search_positions(embeddings.vectors, k + 1)
    itself = rows == np.arange(len(embeddings))[:, np.newaxis]
    others_first = np.argsort(itself, axis=1, kind="stable")[:, :max(rows.shape[1] - 1, 0)]
    return np.take_along_axis(rows, others_first, 1)
