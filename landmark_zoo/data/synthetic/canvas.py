"""A drawing surface measured in metres."""

from collections.abc import Sequence

import cv2
import numpy as np

from landmark_zoo.data.synthetic.palette import Colour
from landmark_zoo.data.synthetic.texture import Texture

_SHIFT = 4
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 33)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 33)[:-1])], 1)


class Canvas:
    """Draws antialiased shapes; x runs right and y up from the lower left corner, in metres.

    Args:
        width: Metres across.
        height: Metres up.
        density: Pixels per metre.
        paint: uint8 [>=H, >=W, 3], copied to the whole surface; None leaves it transparent.
    """

    def __init__(self, width: float, height: float, density: float, paint: np.ndarray | None = None):
        self.width, self.height, self.density = width, height, density
        rows, columns = max(2, round(height * density)), max(2, round(width * density))
        self.pixels = np.zeros((rows, columns, 4), np.uint8)
        self.lights = np.zeros((rows, columns), np.uint8)
        if paint is not None:
            self.pixels[..., :3] = paint[:rows, :columns]
            self.pixels[..., 3] = 255

    def polygon(self, points: Sequence[Sequence[float]], colour: Colour, light: int = 0) -> None:
        """Fills a polygon; `light` (0..255) is how much of it shines at night."""
        corners = [self._corners(points)]
        cv2.fillPoly(self.pixels, corners, (*colour, 255), cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.lights, corners, light, cv2.LINE_8, _SHIFT)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour, light: int = 0) -> None:
        """Fills a rectangle whose lower left corner is (x, y)."""
        self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour, light)

    def disc(self, x: float, y: float, radius: float, colour: Colour, light: int = 0) -> None:
        """Fills a circle."""
        self.polygon(np.array((x, y)) + radius * _CIRCLE, colour, light)

    def line(self, points: Sequence[Sequence[float]], colour: Colour, thickness: float, closed: bool = False) -> None:
        """Draws a line of `thickness` metres, at least one pixel."""
        pixels = max(1, round(thickness * self.density))
        cv2.polylines(self.pixels, [self._corners(points)], closed, (*colour, 255), pixels, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.lights, [self._corners(points)], closed, 0, pixels, cv2.LINE_8, _SHIFT)

    def cut(self, points: Sequence[Sequence[float]]) -> None:
        """Makes a hole."""
        mask = np.zeros(self.lights.shape, np.uint8)
        cv2.fillPoly(mask, [self._corners(points)], 255, cv2.LINE_AA, _SHIFT)
        self.pixels[..., 3] = np.minimum(self.pixels[..., 3], 255 - mask)
        self.lights[mask > 127] = 0

    def shade(self, x: float, y: float, width: float, height: float, start: float, end: float) -> None:
        """Multiplies the brightness of a rectangle, from `start` at its top to `end` at its bottom."""
        rows, columns = self.lights.shape
        left, right = (int(np.clip(round(value * self.density), 0, columns)) for value in (x, x + width))
        top, bottom = (int(np.clip(rows - round(value * self.density), 0, rows)) for value in (y + height, y))
        if right > left and bottom > top:
            area = self.pixels[top:bottom, left:right, :3]
            factors = np.linspace(start, end, bottom - top, dtype=np.float32)[:, None, None]
            area[:] = np.clip(area * factors, 0, 255).astype(np.uint8)

    def stamp(self, other: "Canvas", x: float, y: float) -> None:
        """Lays another canvas of the same density on this one, its lower left corner at (x, y)."""
        rows, columns = self.lights.shape
        height, width = other.lights.shape
        left, top = round(x * self.density), rows - round(y * self.density) - height
        here = np.s_[max(top, 0):max(min(top + height, rows), 0), max(left, 0):max(min(left + width, columns), 0)]
        there = np.s_[max(-top, 0):max(rows - top, 0), max(-left, 0):max(columns - left, 0)]
        covered = (other.pixels[there][..., 3] > 127).view(np.uint8)
        if covered.size:
            cv2.copyTo(other.pixels[there], covered, self.pixels[here])
            cv2.copyTo(other.lights[there], covered, self.lights[here])

    def texture(self) -> Texture:
        """Returns what was drawn."""
        return Texture(self.pixels, self.lights)

    def _corners(self, points: Sequence[Sequence[float]]) -> np.ndarray:
        corners = np.asarray(points, np.float64) * self.density
        corners[:, 1] = len(self.lights) - corners[:, 1]
        return np.round((corners - 0.5) * (1 << _SHIFT)).astype(np.int32)
