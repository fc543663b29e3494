"""Re-ranking by counting points that fit one plane."""

import numpy as np

from landmark_zoo.retrieval.rerank.features import Features
from landmark_zoo.retrieval.rerank.fit_homography import fit_homography
from landmark_zoo.retrieval.rerank.geometry import Geometry
from landmark_zoo.retrieval.rerank.keypoints import Keypoints
from landmark_zoo.retrieval.rerank.mutual_matches import mutual_matches
from landmark_zoo.retrieval.rerank.reranker import Reranker


class GeometricReranker(Reranker):
    """Scores a candidate by its inliers: matches of local features that one homography explains.

    Philbin, Chum, Isard, Sivic, Zisserman: Object Retrieval with Large Vocabularies and Fast Spatial Matching, CVPR 2007.
    The score is a count, 0 where no plane is found. Pictures of different landmarks reach a handful of inliers by chance, so
    that counts below about 10 say nothing and reorder by noise; see `min_inliers`.

    Args:
        features: `SIFT`, or `LocalFeatures` of an exported model.
        ratio: See `mutual_matches`.
        tolerance: Pixels by which an inlier may miss its place.
        min_inliers: Fewer count as none, so that the candidate keeps its place among those without a plane.
        seed: Of the samples of MAGSAC.
        budget_ms: See `Reranker`.
    """

    def __init__(self, features: Features, ratio: float = 0.8, tolerance: float = 4.0, min_inliers: int = 0, seed: int = 0,
                 budget_ms: float | None = None):
        super().__init__(budget_ms)
        self.features, self.ratio, self.tolerance = features, ratio, tolerance
        self.min_inliers, self.seed = min_inliers, seed

    def describe(self, photograph: np.ndarray) -> Keypoints:
        return self.features(photograph)

    def compare(self, query: Keypoints, candidate: Keypoints) -> tuple[float, Geometry | None]:
        matches = mutual_matches(query.vectors, candidate.vectors, self.ratio)
        geometry = fit_homography(query.points[matches[:, 0]], candidate.points[matches[:, 1]], self.tolerance, self.seed)
        if geometry is None or len(geometry.query_points) < self.min_inliers:
            return 0.0, None
        return float(len(geometry.query_points)), geometry
