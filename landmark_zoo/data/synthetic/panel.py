"""A textured parallelogram in space: every scene is made of these alone."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.texture import Texture


@dataclass(frozen=True)
class Panel:
    """A texture hung in the world; metres.

    Attributes:
        texture: What it shows.
        origin: [3], the texture's upper left corner.
        across: [3], from there to the upper right corner.
        down: [3], from there to the lower left corner.
        closed: It is the outside of a solid, unseen from behind.
        sprite: It turns about the vertical to face the camera (domes, towers, trees, people).
        lift: How far it counts as nearer to the camera than it is, so that it covers what it touches.
    """

    texture: Texture
    origin: tuple[float, float, float]
    across: tuple[float, float, float]
    down: tuple[float, float, float]
    closed: bool = True
    sprite: bool = False
    lift: float = 0.0

    @cached_property
    def normal(self) -> np.ndarray:
        """float64 [3], the unit vector out of the side that shows the texture unmirrored."""
        (a, b, c), (d, e, f) = self.down, self.across
        normal = np.array((b * f - c * e, c * d - a * f, a * e - b * d))
        return normal / max(float(np.linalg.norm(normal)), 1e-9)

    @cached_property
    def corners(self) -> np.ndarray:
        """float64 [4, 3], clockwise from the upper left as seen from outside."""
        origin, across, down = np.array(self.origin), np.array(self.across), np.array(self.down)
        return np.stack([origin, origin + across, origin + across + down, origin + down])

    @cached_property
    def _placed(self) -> np.ndarray:
        return np.array((self.across, self.down, self.origin)).T

    def placed(self, camera: Camera) -> np.ndarray:
        """Returns float64 [3, 3], columns across, down and origin, a sprite's turned towards the camera."""
        if not self.sprite:
            return self._placed
        width = math.hypot(self.across[0], self.across[2])
        x, z = self.origin[0] + self.across[0] / 2, self.origin[2] + self.across[2] / 2
        right, back = -(z - camera.position[2]), x - camera.position[0]
        scale = width / max(math.hypot(right, back), 1e-9)
        right, back = right * scale, back * scale
        return np.array(((right, self.down[0], x - right / 2), (0.0, self.down[1], self.origin[1]),
                         (back, self.down[2], z - back / 2)))

    def hidden_from(self, camera: Camera) -> bool:
        """Tells whether the camera stands behind a panel that is only seen from outside."""
        return self.closed and not self.sprite and float(self.normal @ camera.position) <= self._offset

    @cached_property
    def _offset(self) -> float:
        return float(self.normal @ self.origin)

    def moved(self, x: float, z: float) -> "Panel":
        """Returns the panel set off by (x, z) on the ground."""
        return replace(self, origin=(self.origin[0] + x, self.origin[1], self.origin[2] + z))

    def raised(self, by: float) -> "Panel":
        """Returns the panel set higher by `by` metres."""
        return replace(self, origin=(self.origin[0], self.origin[1] + by, self.origin[2]))

    def rotated(self, angle: float) -> "Panel":
        """Returns the panel turned about the world's vertical axis; a quarter turn takes front to right."""
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))

        def turn(vector: tuple[float, float, float]) -> tuple[float, float, float]:
            x, y, z = vector
            return (x * cosine + z * sine, y, z * cosine - x * sine)

        return replace(self, origin=turn(self.origin), across=turn(self.across), down=turn(self.down))


def sprite(texture: Texture, x: float, z: float, base: float, width: float, height: float, lift: float) -> Panel:
    """Returns a panel that stands at (x, z), its foot at height `base`, and faces every camera."""
    return Panel(texture, (x - width / 2, base + height, z), (width, 0, 0), (0, -height, 0), closed=False, sprite=True,
                 lift=lift)
