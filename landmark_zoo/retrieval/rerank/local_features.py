"""SIFT and a model's local features.

DELF (Noh et al., ICCV 2017), DELG (Cao et al., ECCV 2020) and HOW (Tolias et al., ECCV 2020) are models whose signature
`local` gives what they were trained to give; any other model gives its feature map and the lengths of its features.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import resize_long_side
from landmark_zoo.saved_model import SavedModel


@dataclass(frozen=True)
class Keypoints:
    """Points of a photograph and what stands there.

    Attributes:
        points: float32 [N, 2], x and y in pixels of the photograph.
        vectors: float32 [N, D], each of length 1 unless asked for otherwise.

    Raises:
        ValueError: Shapes that do not fit together.
    """

    points: np.ndarray
    vectors: np.ndarray

    def __post_init__(self):
        if self.vectors.ndim != 2 or self.points.shape != (len(self.vectors), 2):
            raise ValueError(f"Expected points [N, 2] and vectors [N, D]; received {list(self.points.shape)} and "
                             f"{list(self.vectors.shape)}.")

    def __len__(self) -> int:
        return len(self.points)


class LocalFeatures:
    """Finds local features at several scales and keeps the best.

    Points are the centres of the map's cells, which is where its receptive fields are centred, up to half a stride of the
    first layers. The model's `info` says how far they lie apart; of one that does not, they divide the photograph evenly.

    A model that finds its points itself (TensorFlow's DELF and DELG, `export.wrap`) does so at its own side, scales and
    threshold, and leaves out boxes that overlap: of the arguments only `count` and `unit` concern it.

    Args:
        model: An exported model with the signature `local`, or with `keypoints` alone.
        side: Pixels of the longer side at scale 1.
        count: Most features of a photograph; DELG and HOW take 1000.
        scales: Factors of `side`. DELG takes 0.25 to 2 in steps of sqrt(2).
        radius: Pixels of the photograph round a point within which no second one of less attention is kept, whatever its
            scale; below 0 none excludes another, as in HOW.
        unit: False for vectors at the lengths that the model gives them, as ASMK takes HOW's.

    Raises:
        UserError: A model without that signature, or one of HOW that gives scores of several scales in parts of each
            scale's own maximum.
    """

    def __init__(self, model: SavedModel, side: int = 512, count: int = 1000, scales: tuple[float, ...] = (1.0,),
                 radius: float = 4.0, unit: bool = True):
        if not model.finds_points:
            model.check_local()
        if len(scales) > 1 and "local_unit" not in model.info and re.search("_how(_block)?$", str(model.info.get("model"))):
            raise UserError(f"an export of {model.info['model']} whose scores of several scales can be compared",
                            "one whose scores are parts of each scale's own maximum", "Export the run again.")
        self.model, self.side, self.count, self.scales, self.radius, self.unit = model, side, count, scales, radius, unit
        own_lengths = not unit and not model.info.get("local_unit", True)
        self.kind = f"{model.fingerprint}, at their lengths" if own_lengths else model.fingerprint

    def __call__(self, image: np.ndarray) -> Keypoints:
        """Returns at most `count` features of a photograph uint8 RGB [H, W, 3], by falling attention."""
        if self.model.finds_points:
            return self._found(image)
        height, width = image.shape[:2]
        found = [self._at(image, round(scale * self.side)) for scale in self.scales]
        points, vectors, scores = map(np.concatenate, zip(*found, strict=True))
        points *= np.array([width, height], np.float32)
        kept = strongest(points, scores, self.count, self.radius)
        return Keypoints(points[kept], vectors[kept])

    def _found(self, image: np.ndarray) -> Keypoints:
        """Returns the points of a model that finds them, in a photograph that is not enlarged."""
        resized = resize_long_side(image, self.model.side).numpy() if max(image.shape) > self.model.side else image
        points, vectors, scores = self.model.keypoints(resized[np.newaxis], self.count)
        kept = scores[0] > 0
        factors = np.array(image.shape[1::-1], np.float32) / np.array(resized.shape[1::-1], np.float32)
        return Keypoints(points[0][kept] * factors, vectors[0][kept])

    def _at(self, image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns points as parts of width and height, vectors, scores."""
        resized = resize_long_side(image, side).numpy()
        features, scores = self.model.local(resized[np.newaxis])
        vectors = features.reshape(-1, features.shape[-1])
        return (cell_centers(features.shape[1:3], resized.shape[:2], self.model.info),
                unit_rows(vectors) if self.unit else vectors, scores.ravel())


def cell_centers(cells: tuple[int, int], size: tuple[int, int], info: Mapping[str, Any]) -> np.ndarray:
    """Returns the centres of a map's cells, row by row: float32 [h w, 2], x and y as parts of the image's width and height.

    Args:
        cells: Rows and columns of the map.
        size: Height and width of the image, in pixels.
        info: That of the model; "local_stride" and "local_offset" are the pixels between two centres and before the first.
            Without them, and where "local_even" is true, the cells divide the image evenly.
    """
    y, x = np.mgrid[:cells[0], :cells[1]].astype(np.float32)
    if "local_stride" in info and not info.get("local_even"):
        y, x = ((axis * info["local_stride"] + info["local_offset"]) / side for axis, side in zip((y, x), size, strict=True))
    else:
        y, x = (y + 0.5) / cells[0], (x + 0.5) / cells[1]
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns the rows of [N, D] at length 1; a row of zeros stays one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def strongest(points: np.ndarray, scores: np.ndarray, count: int, radius: float) -> np.ndarray:
    """Returns the row numbers of the best-scored points, best first, none within `radius` of a better one.

    Args:
        points: [N, 2].
        scores: [N]; of equal ones the first is better.
        count: Most that are kept.
        radius: In the unit of the points; at 0 only equal points exclude each other, below 0 none do.
    """
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    if radius < 0:
        return left[:count]
    while len(left) and len(kept) < count:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[np.linalg.norm(points[left] - points[best], axis=1) > radius]
    return np.array(kept, np.int64)


class Features(Protocol):
    """Turns a photograph into local features.

    Attributes:
        kind: "rootsift", or the fingerprint of the model: features of two kinds are never compared.
    """

    kind: str

    def __call__(self, image: np.ndarray) -> Keypoints:
        """Returns the local features of a photograph, uint8 RGB [H, W, 3]."""


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

    def __call__(self, image: np.ndarray) -> Keypoints:
        """Returns at most `count` keypoints, vectors [N, 128], of a photograph uint8 RGB [H, W, 3]; none in a flat one."""
        found, histograms = self._sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        if histograms is None:
            return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
        order = np.argsort([-point.response for point in found], kind="stable")[:self.count]
        points = np.array([point.pt for point in found], np.float32)[order]
        histograms = histograms[order]
        return Keypoints(points, np.sqrt(histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-7)))
