"""The plane that two photographs share."""

import cv2
import numpy as np

from landmark_zoo.retrieval.rerank.geometry import Geometry

LEAST_MATCHES, ITERATIONS, CONFIDENCE = 4, 2000, 0.999


def fit_homography(query_points: np.ndarray, candidate_points: np.ndarray, tolerance: float,
                   seed: int = 0) -> Geometry | None:
    """Fits a homography to matched points by MAGSAC (Barath, Noskova, Ivashechkin, Matas: MAGSAC++, CVPR 2020; OpenCV's
    `USAC_MAGSAC`).

    Args:
        query_points: float32 [M, 2], x and y in pixels.
        candidate_points: float32 [M, 2], row by row.
        tolerance: Pixels by which an inlier may miss its place in the candidate.
        seed: Of the samples.

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
