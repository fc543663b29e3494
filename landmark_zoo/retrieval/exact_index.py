"""Exhaustive search by dot product."""

from pathlib import Path

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.faiss_index import FaissIndex


class ExactIndex(FaissIndex):
    """A `FaissIndex` of kind flat whose folder is that of an `EmbeddingSet`, so either can be loaded as the other.

    Results stand by falling score; equal scores stand in the order of insertion. The folder keeps no fields.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `EmbeddingModel.fingerprint` of the model that makes the embeddings.
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
