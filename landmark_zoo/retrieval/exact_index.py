"""Exhaustive search by dot product."""

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.check_same_model import check_same_model
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


class ExactIndex:
    """Compares a query with every index image (faiss `IndexFlatIP`): no approximation, no training.

    Results stand by falling score; equal scores stand in the order of insertion. On disk an index is the folder of an
    `EmbeddingSet`, so either can be loaded as the other.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `EmbeddingModel.fingerprint` of the model that makes the embeddings.

    Attributes:
        ids: Ids of the index images in the order of insertion.
    """

    def __init__(self, dimension: int, model_fingerprint: str):
        self.dimension, self.model_fingerprint = dimension, model_fingerprint
        self._clear()

    def fit(self, ids: Sequence[str], vectors: np.ndarray) -> "ExactIndex":
        """Replaces the contents by these embeddings; see `add`."""
        self._clear()
        return self.add(ids, vectors)

    def add(self, ids: Sequence[str], vectors: np.ndarray) -> "ExactIndex":
        """Adds embeddings: float32 [N, D] and their ids.

        Raises:
            UserError: Another dimension, an id that is there already, a NaN or a length other than 1.
        """
        added = EmbeddingSet(list(ids), vectors, self.model_fingerprint)
        self.check_model(added.dimension, added.model_fingerprint)
        twice = self._known.intersection(added.ids)
        if twice:
            raise UserError("an id that is not in the index", f"{min(twice)}, which is", "Remove the duplicate.")
        self._index.add(vectors)
        self.ids.extend(added.ids)
        self._known.update(added.ids)
        return self

    def search(self, vectors: np.ndarray, k: int) -> tuple[list[list[str]], np.ndarray]:
        """Returns the ids of the `k` best index images for each query, and their scores.

        Args:
            vectors: Query embeddings, float32 [N, D].
            k: How many to return; at most as many as there are.

        Returns:
            N lists of ids, best first, and their dot products, float32 [N, min(k, size)].
        """
        positions, scores = self.search_positions(vectors, k)
        return [[self.ids[position] for position in row] for row in positions], scores

    def search_positions(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Like `search`, with the places in `ids` (int64) instead of the ids."""
        if k < 1:
            raise ValueError(f"Expected k of 1 or more; received {k}.")
        if not self.ids:
            raise UserError("an index with images", "an empty one", "Add embeddings first.")
        queries = EmbeddingSet([f"query {row}" for row in range(len(vectors))], vectors, self.model_fingerprint)
        self.check_model(queries.dimension, queries.model_fingerprint)
        k = min(k, len(self))
        fetched = min(k + 1, len(self))
        scores, positions = self._index.search(vectors, fetched)
        while fetched < len(self) and (scores[:, -1] == scores[:, k - 1]).any():  # the tie may reach farther
            fetched = min(2 * fetched, len(self))
            scores, positions = self._index.search(vectors, fetched)
        order = np.lexsort((positions, -scores), axis=-1)[:, :k]
        return np.take_along_axis(positions, order, 1), np.take_along_axis(scores, order, 1)

    def check_model(self, dimension: int, model_fingerprint: str) -> None:
        """Raises a UserError unless embeddings of that model can be compared with these."""
        check_same_model(self.dimension, self.model_fingerprint, dimension, model_fingerprint)

    def save(self, path: str | Path) -> None:
        """Writes the folder of an `EmbeddingSet`; a finished one is never overwritten."""
        vectors = self._index.reconstruct_n(0, len(self)) if self.ids else np.zeros((0, self.dimension), np.float32)
        EmbeddingSet(self.ids, vectors, self.model_fingerprint).save(path)

    @classmethod
    def load(cls, path: str | Path) -> "ExactIndex":
        """Reads a folder that `ExactIndex.save` or `EmbeddingSet.save` wrote."""
        return cls.of(EmbeddingSet.load(path))

    @classmethod
    def of(cls, embeddings: EmbeddingSet) -> "ExactIndex":
        """Returns an index of these embeddings."""
        return cls(embeddings.dimension, embeddings.model_fingerprint).fit(embeddings.ids, embeddings.vectors)

    def __len__(self) -> int:
        return len(self.ids)

    def _clear(self):
        self.ids: list[str] = []
        self._known: set[str] = set()
        self._index = faiss.IndexFlatIP(self.dimension)
