"""Points and a matcher that are learnt: XFeat (Potje et al., CVPR 2024) and LighterGlue, as exported SavedModels."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.base import Geometry, Reranker
from landmark_zoo.retrieval.rerank.local_features import Keypoints
from landmark_zoo.saved_model import SavedModel, fingerprint_of, load_signatures, read_info, refusal, version_folder

_REMEDY = "Export one: python -m export.matcher."


class SizedKeypoints(NamedTuple):
    """Points of a photograph, and the photograph's size.

    Attributes:
        keypoints: Points and vectors.
        size: Width and height in pixels.
    """

    keypoints: Keypoints
    size: tuple[int, int]


class Matches(NamedTuple):
    """Pairs of points of two photographs.

    Attributes:
        rows: int64 [M, 2], row numbers in the first and the second photograph's points.
        scores: float32 [M], 0..1.
    """

    rows: np.ndarray
    scores: np.ndarray


class SavedMatcher:
    """Exported matcher: points of two photographs to pairs of them.

    Args:
        path: `<name>/<version>`, or `<name>`, of which the highest version is taken.

    Attributes:
        path: Version folder that was loaded.
        info: Constants of `info()` as Python values: name, dimension, threshold, ...

    Raises:
        UserError: No SavedModel there, an unreadable one, or one that is no matcher.
    """

    def __init__(self, path: str | Path):
        self.path = version_folder(Path(path))
        self._loaded = load_signatures(self.path)
        names = sorted(self._loaded.signatures)
        if not {"match", "info"} <= set(names):
            raise UserError(f"a SavedModel with the signatures match and info at {self.path}",
                            f"signatures {', '.join(names) or '(none)'}", _REMEDY)
        self.info = read_info(self._loaded)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over `saved_model.pb` and the variables; equal for every copy of an export."""
        return fingerprint_of(self.path)

    def match(self, first: SizedKeypoints, second: SizedKeypoints) -> Matches:
        """Returns the matches of two photographs; none where one of them has no points.

        Raises:
            UserError: Vectors of another length than the matcher's.
            InvalidImageError: The matcher refuses the points: NaN, or points outside their photographs.
        """
        values = {}
        for number, (keypoints, size) in enumerate((first, second)):
            if keypoints.vectors.shape[1] != self.info["dimension"]:
                raise UserError(f"descriptors of length {self.info['dimension']} for the matcher at {self.path}",
                                f"length {keypoints.vectors.shape[1]}", "Take the points of an export of xfeat.")
            values |= {f"keypoints{number}": keypoints.points, f"descriptors{number}": keypoints.vectors,
                       f"size{number}": np.array(size)}
        try:
            found = self._loaded.signatures["match"](**{
                name: tf.constant(value[np.newaxis], tf.float32) for name, value in values.items()})
        except tf.errors.InvalidArgumentError as error:
            raise InvalidImageError(refusal(error)) from error
        matches = found["matches"][0].numpy()
        rows = np.flatnonzero(matches >= 0)
        return Matches(np.stack([rows, matches[rows]], axis=1), found["scores"][0].numpy()[rows])


class DetectedPoints:
    """Finds points with an exported XFeat.

    Args:
        model: An exported model with the signature `keypoints`.
        count: Most points of a photograph.

    Raises:
        UserError: A model without that signature.
    """

    def __init__(self, model: SavedModel, count: int = 1024):
        model.check_keypoints()
        self.model, self.count, self.kind = model, count, model.fingerprint

    def __call__(self, image: np.ndarray) -> Keypoints:
        """Returns at most `count` points of a photograph uint8 RGB [H, W, 3], best first, at its own size.

        Raises:
            InvalidImageError: A side under 32 pixels.
        """
        points, vectors, scores = self.model.keypoints(image[np.newaxis], self.count)
        found = scores[0] > 0
        return Keypoints(points[0][found], vectors[0][found])


class MatcherReranker(Reranker):
    """Scores a candidate by the number of its matches; the geometry holds their points, and no homography.

    The matcher has judged each match by all others already. Counting only those that one homography explains tells
    photographs of one landmark from others less well: area under the curve .994, not .999, on the 253 pairs of 23
    phototourism photographs, whose buildings are no planes.

    Args:
        points: Finds the points of a photograph.
        matcher: Matches them.
        min_matches: Fewer count as none.
        budget_ms: See `Reranker`.
    """

    def __init__(self, points: DetectedPoints, matcher: SavedMatcher, min_matches: int = 0, budget_ms: float | None = None):
        super().__init__(budget_ms)
        self.points, self.matcher, self.min_matches = points, matcher, min_matches

    def describe(self, image: np.ndarray) -> SizedKeypoints:
        return SizedKeypoints(self.points(image), (image.shape[1], image.shape[0]))

    def compare(self, query: SizedKeypoints, candidate: SizedKeypoints) -> tuple[float, Geometry | None]:
        rows = self.matcher.match(query, candidate).rows
        if len(rows) < max(self.min_matches, 1):
            return 0.0, None
        return float(len(rows)), Geometry(query.keypoints.points[rows[:, 0]], candidate.keypoints.points[rows[:, 1]])
