"""Patch matching on a backbone's feature map (experiment E7 of arXiv 2208.04201)."""

from typing import NamedTuple

import numpy as np

from landmark_zoo.data.resize import resize_square
from landmark_zoo.retrieval.rerank.geometry import Geometry
from landmark_zoo.retrieval.rerank.keypoints import Keypoints
from landmark_zoo.retrieval.rerank.reranker import Reranker
from landmark_zoo.retrieval.saved_model import EmbeddingModel


class PatchMatch(NamedTuple):
    """What `patch_similarity` returns.

    Attributes:
        score: Mean over the query's patches of the largest cosine with one of the candidate's.
        best: int64 [N], which of the candidate's it was.
    """

    score: float
    best: np.ndarray


def patch_similarity(query: np.ndarray, candidate: np.ndarray) -> PatchMatch:
    """Compares every patch of the query with every patch of the candidate; not symmetric, 1 for equal pictures.

    Args:
        query: float32 [N, C], rows of length 1.
        candidate: float32 [M, C], rows of length 1.
    """
    cosines = query @ candidate.T
    return PatchMatch(float(cosines.max(axis=1).mean()), cosines.argmax(axis=1))


class Patches(Reranker):
    """Scores a candidate by `patch_similarity` of the cells of two feature maps.

    Photographs are stretched to a square, as in the thesis: 224 pixels and stride 32 give 7 x 7 patches. The geometry holds
    each patch's centre and that of its best match, and no homography.

    Args:
        model: An exported model with the signature `local`.
        side: Of the square, pixels.
        budget_ms: See `Reranker`.

    Raises:
        UserError: A model without that signature.
    """

    def __init__(self, model: EmbeddingModel, side: int = 224, budget_ms: float | None = None):
        super().__init__(budget_ms)
        model.check_local()
        self.model, self.side = model, side

    def describe(self, photograph: np.ndarray) -> Keypoints:
        features, _ = self.model.local(resize_square(photograph, self.side).numpy()[np.newaxis])
        rows, columns, channels = features.shape[1:]
        y, x = np.mgrid[:rows, :columns]
        height, width = photograph.shape[:2]
        points = np.stack([(x + 0.5) * width / columns, (y + 0.5) * height / rows], axis=-1)
        return Keypoints(points.reshape(-1, 2).astype(np.float32), features.reshape(-1, channels))

    def compare(self, query: Keypoints, candidate: Keypoints) -> tuple[float, Geometry]:
        score, best = patch_similarity(query.vectors, candidate.vectors)
        return score, Geometry(query.points, candidate.points[best])
