"""Geometric re-ranking: mutual matches that one homography explains, and patches of two feature maps."""

from typing import NamedTuple

import cv2
import numpy as np

from landmark_zoo.data.image_ops import resize_square
from landmark_zoo.retrieval.rerank.base import Geometry, Reranker
from landmark_zoo.retrieval.rerank.local_features import Features, Keypoints, cell_centers, unit_rows
from landmark_zoo.saved_model import SavedModel

LEAST_MATCHES, ITERATIONS, CONFIDENCE = 4, 2000, 0.999


def fit_homography(query_points: np.ndarray, candidate_points: np.ndarray, tolerance: float,
                   seed: int = 0) -> Geometry | None:
    """Fits a homography to matched points by MAGSAC (Barath, Noskova, Ivashechkin, Matas: MAGSAC++, CVPR 2020; OpenCV's
    `USAC_MAGSAC`).

    Args:
        query_points: float32 [M, 2], x and y in pixels.
        candidate_points: float32 [M, 2], row by row.
        tolerance: Pixels by which an inlier may miss its place in the candidate.
        seed: Random seed of the samples.

    Returns:
        The inliers and the homography; None with fewer than four matches, or where no plane is found.
    """
    if len(query_points) < LEAST_MATCHES:
        return None
    settings = cv2.UsacParams()
    settings.score, settings.loMethod = cv2.SCORE_METHOD_MAGSAC, cv2.LOCAL_OPTIM_SIGMA
    settings.threshold, settings.maxIterations, settings.confidence = tolerance, ITERATIONS, CONFIDENCE
    settings.randomGeneratorState = seed
    homography, inliers = cv2.findHomography(query_points, candidate_points, settings)
    if homography is None:
        return None
    kept = inliers.ravel().astype(bool)
    return Geometry(query_points[kept], candidate_points[kept], homography)


def mutual_matches(query: np.ndarray, candidate: np.ndarray, ratio: float) -> np.ndarray:
    """Returns the pairs of features that are each other's nearest, and much nearer than the second nearest.

    A feature of the query counts where its nearest candidate is closer than `ratio` times the second (Lowe: Distinctive
    Image Features from Scale-Invariant Keypoints, IJCV 2004, section 7.1) and has no nearer feature in the query. Without
    the last condition many points may match one, and a homography that collapses the picture onto it wins: pictures of
    different landmarks then reach 74 inliers instead of 8.

    Args:
        query: float32 [N, D], rows of length 1.
        candidate: float32 [M, D], rows of length 1.
        ratio: 0..1; 1 leaves the ratio test out.

    Returns:
        int64 [K, 2], row numbers in `query` and in `candidate`; none where `candidate` has fewer than two rows.

    Raises:
        ValueError: Features of two lengths.
    """
    if query.shape[1] != candidate.shape[1]:
        raise ValueError(f"Expected features of one length; received {query.shape[1]} and {candidate.shape[1]}.")
    if len(query) == 0 or len(candidate) < 2:
        return np.zeros((0, 2), np.int64)
    cosines = query @ candidate.T
    rows, nearest, back = np.arange(len(query)), cosines.argmax(axis=1), cosines.argmax(axis=0)
    first = cosines[rows, nearest]
    cosines[rows, nearest] = -np.inf
    second = cosines.max(axis=1)
    kept = (1 - first <= ratio ** 2 * (1 - second)) & (back[nearest] == rows)  # |a - b|^2 = 2 (1 - cos)
    return np.stack([rows[kept], nearest[kept]], axis=1)


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
        seed: Random seed of MAGSAC.
        budget_ms: See `Reranker`.
    """

    def __init__(self, features: Features, ratio: float = 0.8, tolerance: float = 4.0, min_inliers: int = 0, seed: int = 0,
                 budget_ms: float | None = None):
        super().__init__(budget_ms)
        self.features, self.ratio, self.tolerance = features, ratio, tolerance
        self.min_inliers, self.seed = min_inliers, seed

    def describe(self, image: np.ndarray) -> Keypoints:
        return self.features(image)

    def compare(self, query: Keypoints, candidate: Keypoints) -> tuple[float, Geometry | None]:
        matches = mutual_matches(query.vectors, candidate.vectors, self.ratio)
        geometry = fit_homography(query.points[matches[:, 0]], candidate.points[matches[:, 1]], self.tolerance, self.seed)
        if geometry is None or len(geometry.query_points) < self.min_inliers:
            return 0.0, None
        return float(len(geometry.query_points)), geometry


class PatchMatch(NamedTuple):
    """Result of `patch_similarity`.

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
        side: Side of the square, in pixels.
        budget_ms: See `Reranker`.

    Raises:
        UserError: A model without that signature.
    """

    def __init__(self, model: SavedModel, side: int = 224, budget_ms: float | None = None):
        super().__init__(budget_ms)
        model.check_local()
        self.model, self.side = model, side

    def describe(self, image: np.ndarray) -> Keypoints:
        features, _ = self.model.local(resize_square(image, self.side).numpy()[np.newaxis])
        points = cell_centers(features.shape[1:3], (self.side, self.side), self.model.info)
        height, width = image.shape[:2]
        return Keypoints(points * np.array([width, height], np.float32), unit_rows(features.reshape(-1, features.shape[-1])))

    def compare(self, query: Keypoints, candidate: Keypoints) -> tuple[float, Geometry]:
        score, best = patch_similarity(query.vectors, candidate.vectors)
        return score, Geometry(query.points, candidate.points[best])
