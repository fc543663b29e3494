"""A pinhole camera."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Where a photograph is taken from. World: x right, y up, z towards who looks at a building's front; metres.

    Attributes:
        position: [3], the eye.
        target: [3], the point it is turned to.
        roll: Turn about the line of sight, radians.
        focal: Focal length in pixels.
        width, height: Picture size in pixels.
        shift: Pixels by which the target lies right of and below the picture's centre.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    roll: float
    focal: float
    width: int
    height: int
    shift: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def matrix(self) -> np.ndarray:
        """float64 [3, 4]: homogeneous world point to homogeneous pixel; the third row gives the depth in metres."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        turn = np.stack([cosine * right - sine * down, sine * right + cosine * down, forward])
        inner = np.array([[self.focal, 0, self.width / 2 + self.shift[0] - 0.5],
                          [0, self.focal, self.height / 2 + self.shift[1] - 0.5], [0, 0, 1]])
        return inner @ np.column_stack([turn, -turn @ self.position])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Returns pixels and depth, float64 [N, 3], of world points [N, 3]; behind the eye the depth is negative."""
        image = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        depth = image[:, 2]
        return np.column_stack([image[:, :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)[:, None], depth])
