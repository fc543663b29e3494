"""What two photographs have in common, point by point."""

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """Matched points of a query and a candidate.

    Attributes:
        query_points: float32 [M, 2], x and y in pixels of the query's photograph.
        candidate_points: float32 [M, 2], those of the candidate's, row by row.
        homography: float64 [3, 3], takes the query's pixels to the candidate's; None where the method fits none.
    """

    query_points: np.ndarray
    candidate_points: np.ndarray
    homography: np.ndarray | None = None
