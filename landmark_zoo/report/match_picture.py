"""Two photographs side by side, their matched points joined."""

import cv2
import matplotlib
import numpy as np

from landmark_zoo.retrieval.rerank.geometry import Geometry

HEIGHT, GAP, MOST_LINES = 480, 8, 60


def match_picture(query: np.ndarray, candidate: np.ndarray, geometry: Geometry | None) -> np.ndarray:
    """Draws the matches of a query (left) and a candidate (right).

    Lines have the colour of their point's height in the query, so that lines out of order catch the eye. Of more than
    `MOST_LINES` matches, so many are drawn, evenly chosen by height.

    Args:
        query: uint8 RGB [H, W, 3].
        candidate: uint8 RGB [H, W, 3].
        geometry: Matches in pixels of both; None draws the photographs alone.

    Returns:
        uint8 RGB [HEIGHT, W, 3], both photographs brought to one height.
    """
    left, right = (_at_height(picture) for picture in (query, candidate))
    canvas = np.concatenate([left, np.full((HEIGHT, GAP, 3), 255, np.uint8), right], axis=1)
    if geometry is None:
        return canvas
    order = np.argsort(geometry.query_points[:, 1], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(len(order), MOST_LINES)).round().astype(int)]
    starts = geometry.query_points[chosen] * HEIGHT / query.shape[0]
    ends = geometry.candidate_points[chosen] * HEIGHT / candidate.shape[0] + [left.shape[1] + GAP, 0]
    for start, end in zip(starts.round().astype(int).tolist(), ends.round().astype(int).tolist(), strict=True):
        colour = [round(255 * part) for part in matplotlib.colormaps["turbo"](start[1] / HEIGHT)[:3]]
        cv2.line(canvas, start, end, colour, 1, cv2.LINE_AA)
        for point in (start, end):
            cv2.circle(canvas, point, 3, colour, 1, cv2.LINE_AA)
    return canvas


def _at_height(picture: np.ndarray) -> np.ndarray:
    width = max(1, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    return cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)
