"""Matches the points of two photographs and draws them.

    python -m experiments.match --images=a.jpg,b.jpg --xfeat=DIR --matcher=DIR --output=matches.jpg

The exports are those of `export.savedmodel --model=xfeat` and of `export.matcher`. Lines between points that one homography
explains are green, the others, wrong ones or of another plane, are orange; the counts are printed.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.retrieval.rerank.geometric import fit_homography
from landmark_zoo.retrieval.rerank.matcher import DetectedPoints, MatcherReranker, SavedMatcher
from landmark_zoo.saved_model import SavedModel

_IMAGES = flags.DEFINE_list("images", None, "Two images with a comma between.", required=True)
_XFEAT = flags.DEFINE_string("xfeat", None, "Export of xfeat: <name>, or <name>/<version>.", required=True)
_MATCHER = flags.DEFINE_string("matcher", None, "Export of a matcher: <name>, or <name>/<version>.", required=True)
_SIDE = flags.DEFINE_integer("side", 800, "Pixels of the longer side to which larger images are shrunk.", lower_bound=32,
                             upper_bound=8192)
_COUNT = flags.DEFINE_integer("count", 2048, "Most points of an image.", lower_bound=1, upper_bound=100_000)
_TOLERANCE = flags.DEFINE_float("tolerance", 4.0, "Pixels by which an inlier may miss its place.", lower_bound=0.1,
                                upper_bound=1000.0)
_LINES = flags.DEFINE_integer("lines", 150, "Most matches that are drawn.", lower_bound=1, upper_bound=100_000)
_OUTPUT = define_output("output", None, "The drawing, a JPEG file.", file=True, required=True)

INLIER, OUTLIER, GAP = (40, 170, 60), (240, 150, 30), 8


def main(_):
    """Finds the points, matches, draws, prints the counts."""
    if len(_IMAGES.value) != 2:
        raise UserError("two images", f"{len(_IMAGES.value)}", "Write --images=a.jpg,b.jpg.")
    images = [_pixels(path) for path in _IMAGES.value]
    matcher = SavedMatcher(_MATCHER.value)
    method = MatcherReranker(DetectedPoints(SavedModel(_XFEAT.value), _COUNT.value), matcher)
    first, second = map(method.describe, images)
    rows = matcher.match(first, second).rows
    points = first.keypoints.points[rows[:, 0]], second.keypoints.points[rows[:, 1]]
    geometry = fit_homography(*points, _TOLERANCE.value)
    inliers = np.zeros(len(rows), bool) if geometry is None else _among(points[0], geometry.query_points)
    shown = np.linspace(0, len(rows), min(_LINES.value, len(rows)), endpoint=False).astype(int)
    shown = np.argsort(points[0][:, 1], kind="stable")[shown]  # evenly from top to bottom
    drawn = draw_matches(images, [each[shown] for each in points], inliers[shown])
    encoded = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    with atomic_write(_OUTPUT.value, "wb") as file:
        file.write(encoded.tobytes())
    print(f"{len(first.keypoints)} and {len(second.keypoints)} points, {len(rows)} matches, {inliers.sum()} of one "
          f"homography: {_OUTPUT.value}")


def draw_matches(images: Sequence[np.ndarray], points: Sequence[np.ndarray], inliers: np.ndarray) -> np.ndarray:
    """Draws two photographs beside each other and a line for each match, those of the homography on top.

    Args:
        images: Two photographs, uint8 [H, W, 3].
        points: For each, float32 [M, 2], x and y in its pixels.
        inliers: bool [M].

    Returns:
        uint8 [H, W, 3].
    """
    height, left = max(len(image) for image in images), images[0].shape[1] + GAP
    drawn = np.full((height, left + images[1].shape[1], 3), 255, np.uint8)
    drawn[:len(images[0]), :left - GAP] = images[0]
    drawn[:len(images[1]), left:] = images[1]
    for row in np.argsort(inliers, kind="stable"):
        ends = [tuple(round(16 * float(value)) for value in (x + offset, y))
                for (x, y), offset in ((points[0][row], 0), (points[1][row], left))]
        color = INLIER if inliers[row] else OUTLIER
        cv2.line(drawn, *ends, color, 1, cv2.LINE_AA, shift=4)
        for end in ends:
            cv2.circle(drawn, end, 32, color, -1, cv2.LINE_AA, shift=4)
    return drawn


def _among(points: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return np.isin(points.astype(np.complex64)[:, 0] + 1j * points[:, 1], kept[:, 0] + 1j * kept[:, 1])


def _pixels(path: str) -> np.ndarray:
    try:
        return decode_image(read_image(path, max_side=_SIDE.value).encoded).numpy()
    except InvalidImageError as error:
        raise UserError("a photograph", f"{path}: {error.reason}", "Check --images.") from error


if __name__ == "__main__":
    run(main)
