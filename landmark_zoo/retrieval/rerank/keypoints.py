"""Local features of one photograph."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Keypoints:
    """Points of a photograph and what stands there.

    Attributes:
        points: float32 [N, 2], x and y in pixels of the photograph.
        vectors: float32 [N, D], each of length 1.

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
