"""SIFT (Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004), by OpenCV."""

import cv2
import numpy as np

from landmark_zoo.retrieval.rerank.keypoints import Keypoints


class SIFT:
    """Finds SIFT keypoints and describes them by RootSIFT (Arandjelovic, Zisserman: Three Things Everyone Should Know to
    Improve Object Retrieval, CVPR 2012): the square root of the L1-normalised histogram, of length 1.

    Points and pixels are those of the photograph as given; about 1000 pixels on its longer side are a good size.

    Args:
        count: Most keypoints of a photograph, those of highest contrast.
        contrast_threshold: Below it a keypoint is dropped; 0 also describes flat walls, as source project E does for VLAD.
    """

    kind = "rootsift"

    def __init__(self, count: int = 2000, contrast_threshold: float = 0.04):
        self.count = count
        self._sift = cv2.SIFT_create(count, contrastThreshold=contrast_threshold)

    def __call__(self, photograph: np.ndarray) -> Keypoints:
        """Returns at most `count` keypoints, vectors [N, 128], of a photograph uint8 RGB [H, W, 3]; none in a flat one."""
        found, histograms = self._sift.detectAndCompute(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY), None)
        if histograms is None:
            return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
        order = np.argsort([-point.response for point in found], kind="stable")[:self.count]
        points = np.array([point.pt for point in found], np.float32)[order]
        histograms = histograms[order]
        return Keypoints(points, np.sqrt(histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-7)))
