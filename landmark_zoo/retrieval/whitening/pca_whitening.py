"""Whitening by principal components."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening.numerical_rank import numerical_rank
from landmark_zoo.retrieval.whitening.whitening import Whitening


class PcaWhitening(Whitening):
    """Keeps the leading principal directions and divides each by a power of its variance.

    Power 0.5 is full whitening (Jegou and Chum, ECCV 2012): equal variance everywhere, noise included. 0 is a plain rotation
    and cut. 0.25 stands between (Revaud et al., ICCV 2019) and is the usual choice for embeddings.

    Args:
        dimension: D', the dimensions that remain; None for as many as carry any variance.
        power: From 0 to 0.5.
    """

    kind: ClassVar[str] = "PCA"

    def __init__(self, dimension: int | None = None, power: float = 0.25):
        super().__init__(dimension)
        if not 0 <= power <= 0.5:
            raise UserError("a power from 0 to 0.5", f"{power}", "0 only rotates, 0.5 whitens fully.")
        self.power = float(power)

    @property
    def settings(self) -> dict[str, Any]:
        return {"dimension": self.dimension, "power": self.power}

    def fit(self, embeddings: EmbeddingSet) -> Self:
        """Learns the map from embeddings of photographs that are neither queries nor index images.

        Raises:
            UserError: Embeddings that span fewer directions than asked for: the others would be noise, hugely enlarged.
        """
        vectors = embeddings.vectors.astype(np.float64)
        asked, rank = self.dimension or 1, 0
        if len(vectors) > 1:
            with np.errstate(invalid="ignore"):  # scikit-learn's ratio, where nothing varies
                pca = PCA(svd_solver="covariance_eigh").fit(vectors)
            variances = pca.explained_variance_
            rank = numerical_rank(variances)
        if rank < asked:
            raise UserError(f"embeddings that vary in {asked} directions or more",
                            f"{len(embeddings)} of dimension {embeddings.dimension} that vary in {rank}",
                            "Fit on more photographs, or keep fewer dimensions.")
        kept = slice(self.dimension or rank)
        return self._learnt(embeddings, pca.mean_, pca.components_[kept].T / variances[kept] ** self.power,
                            variance_kept=float(variances[kept].sum() / variances.sum()))
