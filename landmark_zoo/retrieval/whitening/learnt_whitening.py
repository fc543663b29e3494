"""Whitening learnt from pairs of photographs of one landmark."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening.numerical_rank import numerical_rank
from landmark_zoo.retrieval.whitening.whitening import Whitening


class LearntWhitening(Whitening):
    """Whitens what differs within landmarks, then keeps the directions in which all photographs differ most.

    With C_S the mean of (q - p)(q - p)^T over matching pairs and C_D the covariance of all embeddings, the projection is
    C_S^(-1/2) V, V the leading eigenvectors of C_S^(-1/2) C_D C_S^(-1/2) (Radenovic, Tolias, Chum, ECCV 2016, section 3.3;
    TPAMI 2019). Two choices: C_D is taken over all embeddings, as in the authors' code, where the paper takes
    pairs that do not match; and the mean is that of all embeddings, where their code takes the first of each pair only. Both
    decompositions are symmetric ones (`eigh`), so nothing turns complex.

    It takes many landmarks: with 29 of them and 1280 dimensions it learns those landmarks and ends below the embeddings as
    they were. A PCA of power 0 to fewer dimensions before it mends most of that.

    Args:
        dimension: D', the dimensions that remain; None for all.
    """

    kind: ClassVar[str] = "learnt from pairs"

    @property
    def settings(self) -> dict[str, Any]:
        return {"dimension": self.dimension}

    def fit(self, embeddings: EmbeddingSet, pairs: Sequence[tuple[str, str]]) -> Self:
        """Learns the map from embeddings of photographs that are neither queries nor index images.

        Args:
            embeddings: Of all photographs.
            pairs: Two ids each, of different photographs of one landmark.

        Raises:
            UserError: A pair without an embedding, more dimensions asked for than there are, or pairs whose differences
                leave a direction out: it would be divided by zero.
        """
        if self.dimension is not None and self.dimension > embeddings.dimension:
            raise UserError(f"a whitening to {embeddings.dimension} dimensions or fewer", f"{self.dimension}",
                            "Keep fewer dimensions.")
        vectors = embeddings.vectors.astype(np.float64)
        mean = vectors.mean(axis=0)
        within = _inverse_root(_pair_covariance(embeddings, vectors, pairs), len(pairs))
        _, directions = np.linalg.eigh(np.cov((vectors - mean) @ within, rowvar=False, bias=True).reshape(len(mean), -1))
        projection = within @ directions[:, ::-1][:, :self.dimension]
        return self._learnt(embeddings, mean, projection, pairs=len(pairs))


def _pair_covariance(embeddings: EmbeddingSet, vectors: np.ndarray, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    if not pairs:
        raise UserError("pairs of photographs of one landmark", "none", "Give some.")
    row_of = {image_id: row for row, image_id in enumerate(embeddings.ids)}
    unknown = next((image_id for pair in pairs for image_id in pair if image_id not in row_of), None)
    if unknown is not None:
        raise UserError("an embedding for both photographs of every pair", f"none for {unknown}", "Leave that pair out.")
    first, second = (vectors[[row_of[pair[side]] for pair in pairs]] for side in (0, 1))
    differences = first - second
    return differences.T @ differences / len(pairs)


def _inverse_root(covariance: np.ndarray, pairs: int) -> np.ndarray:
    values, directions = np.linalg.eigh(covariance)
    rank = numerical_rank(values)
    if rank < len(values):
        raise UserError(f"pairs whose differences span all {len(values)} dimensions", f"{pairs} pairs that span {rank}",
                        "Give more pairs, or keep fewer dimensions by a PCA before.")
    return directions / np.sqrt(values) @ directions.T
