"""The index images nearest to embeddings."""

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex


def neighbours(embeddings: EmbeddingSet, index: EmbeddingSet, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows of the `k` nearest index images and their similarities, int64 and float32 [N, k], best first.

    An index image with the id of the embedding itself is left out: it would count a picture as its own neighbour. Equal
    similarities stand in the order of the index.

    Args:
        embeddings: N embeddings, of the queries or of the index itself.
        index: M embeddings of the same model.
        k: How many; fewer come back where the index holds fewer others.

    Raises:
        UserError: Embeddings of two models.
        ValueError: `k` below 1.
    """
    if k < 1:
        raise ValueError(f"neighbours: expected k of 1 or more; received {k}.")
    index.check_model(embeddings.dimension, embeddings.model_fingerprint)
    row_of = {image_id: row for row, image_id in enumerate(index.ids)}
    own = np.array([row_of.get(image_id, -1) for image_id in embeddings.ids])
    rows, similarities = ExactIndex.of(index).search_positions(embeddings.vectors, k + 1)
    others_first = np.argsort(rows == own[:, np.newaxis], axis=1, kind="stable")
    others_first = others_first[:, :min(k, len(index) - int((own >= 0).any()))]
    return np.take_along_axis(rows, others_first, 1), np.take_along_axis(similarities, others_first, 1)
