"""Exact search by dot product, and the k nearest neighbors within a set."""

from pathlib import Path

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.faiss_index import FaissIndex


class ExactIndex(FaissIndex):
    """A `FaissIndex` of kind flat whose folder is that of an `EmbeddingSet`, so either can be loaded as the other.

    Results stand by falling score; equal scores stand in the order of insertion. The folder keeps no fields.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `SavedModel.fingerprint` of the model that makes the embeddings.
    """

    def __init__(self, dimension: int, model_fingerprint: str):
        super().__init__(dimension, model_fingerprint, "flat")

    def save(self, path: str | Path) -> None:
        """Writes the folder of an `EmbeddingSet`; a finished one is never overwritten."""
        vectors = self._index.index.reconstruct_n(0, len(self)) if self.ids else np.zeros((0, self.dimension), np.float32)
        EmbeddingSet(self.ids, vectors, self.model_fingerprint, self.provenance).save(path)

    @classmethod
    def load(cls, path: str | Path) -> "ExactIndex":
        """Reads a folder that `ExactIndex.save` or `EmbeddingSet.save` wrote."""
        return cls.of(EmbeddingSet.load(path))

    @classmethod
    def of(cls, embeddings: EmbeddingSet) -> "ExactIndex":
        """Returns an index of these embeddings."""
        return cls(embeddings.dimension, embeddings.model_fingerprint).fit(embeddings.ids, embeddings.vectors)


def k_nearest_neighbors(embeddings: EmbeddingSet, index: EmbeddingSet, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows of the `k` nearest index images and their similarities, int64 and float32 [N, k], best first.

    An index image with the id of the embedding itself is left out: it would count a picture as its own neighbour. Equal
    similarities stand in the order of the index.

    Args:
        embeddings: N embeddings, of the queries or of the index itself.
        index: M embeddings of the same model.
        k: Number of neighbors; fewer come back where the index holds fewer others.

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


EXACT_UP_TO = 100_000


def nearest_other_images(embeddings: EmbeddingSet, k: int) -> np.ndarray:
    """Returns rows of the `k` nearest others, best first, int64 [N, min(k, N - 1)].

    Exact up to `EXACT_UP_TO` embeddings, by a graph (HNSW) beyond: comparing all with all grows with the square.

    Args:
        embeddings: N embeddings.
        k: Number of neighbors.
    """
    kind = "flat" if len(embeddings) <= EXACT_UP_TO else "hnsw"
    index = FaissIndex(embeddings.dimension, embeddings.model_fingerprint, kind).fit(embeddings.ids, embeddings.vectors)
    rows, _ = index.search_positions(embeddings.vectors, k + 1)
    itself = rows == np.arange(len(embeddings))[:, np.newaxis]
    others_first = np.argsort(itself, axis=1, kind="stable")[:, :max(rows.shape[1] - 1, 0)]
    return np.take_along_axis(rows, others_first, 1)
