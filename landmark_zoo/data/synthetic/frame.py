"""Panels to pixels, nearest first: a small rasteriser with a depth buffer."""

import math

import cv2
import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.texture import Texture

_NEAR = 0.3
_SQUARE = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])


class Frame:
    """A picture under construction.

    Attributes:
        colour: uint8 [H, W, 4].
        nearness: float32 [H, W], 1 / depth in 1/metres; 0 where nothing stands.
        owner: uint8 [H, W], the number given to what is seen there.
    """

    def __init__(self, camera: Camera, backdrop: np.ndarray):
        self.camera = camera
        self.colour = cv2.cvtColor(backdrop, cv2.COLOR_RGB2RGBA)
        self.nearness = np.zeros(backdrop.shape[:2], np.float32)
        self.owner = np.zeros(backdrop.shape[:2], np.uint8)

    def draw(self, panel: Panel, gain: tuple[float, float, float], moment: str, owner: int = 0,
             border: int = cv2.BORDER_CONSTANT) -> None:
        """Draws a panel where it is nearer than what is there already.

        Args:
            panel: What to draw.
            gain: Light on it, a factor per channel.
            moment: Which version of the texture, see `Texture.level`.
            owner: The number for `self.owner`.
            border: How the texture goes on beyond its edge; the ground is endless by `cv2.BORDER_REFLECT`.
        """
        if panel.hidden_from(self.camera):
            return
        plane = self.camera.matrix[:, :3] @ panel.placed(self.camera)
        plane[:, 2] += self.camera.matrix[:, 3]
        solvable, inverse = cv2.invert(plane)
        outline = self._outline(plane)
        a, b, c = inverse[2].tolist()
        box = self._box(outline) if border == cv2.BORDER_CONSTANT else self._before(a, b, c)
        if box is None or not solvable:
            return
        left, top, right, bottom = box
        depth = float(plane[2] @ (0.5, 0.5, 1.0))
        if panel.lift and depth > 2 * panel.lift:
            a, b, c = (value * depth / (depth - panel.lift) for value in (a, b, c))
        nearness = np.arange(left, right, dtype=np.float32) * np.float32(a)
        nearness = nearness + (np.arange(top, bottom, dtype=np.float32) * np.float32(b) + np.float32(c))[:, None]
        area = np.s_[top:bottom, left:right]
        picture = panel.texture.level(moment, _halvings(panel.texture, outline))
        rows, columns = picture.shape[:2]
        to_texture = np.array([[columns, 0, -0.5], [0, rows, -0.5], [0, 0, 1.0]]) @ inverse
        to_texture = to_texture @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
        drawn = cv2.warpPerspective(picture, to_texture, (right - left, bottom - top), None,
                                    cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, border, (*panel.texture.mean, 0))
        seen = (drawn[..., 3] > 127) & (nearness > self.nearness[area])
        if len(outline) != 4:
            seen &= nearness < 1 / _NEAR
        if gain != (1.0, 1.0, 1.0):
            drawn = cv2.multiply(drawn, (*gain, 1.0))
        cv2.copyTo(drawn, seen.view(np.uint8), self.colour[area])
        np.copyto(self.nearness[area], nearness, where=seen)
        np.copyto(self.owner[area], owner, where=seen)

    def _outline(self, plane: np.ndarray) -> list[tuple[float, float]]:
        """Returns a panel's corners in pixels; those behind the eye are cut off, and there are other than 4 then."""
        corners = (plane @ _SQUARE).T.tolist()
        if min(corner[2] for corner in corners) > _NEAR:
            return [(x / depth, y / depth) for x, y, depth in corners]
        kept = []
        for (x0, y0, z0), (x1, y1, z1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if z0 > _NEAR:
                kept.append((x0 / z0, y0 / z0))
            if (z0 > _NEAR) != (z1 > _NEAR):
                share = (_NEAR - z0) / (z1 - z0)
                kept.append(((x0 + share * (x1 - x0)) / _NEAR, (y0 + share * (y1 - y0)) / _NEAR))
        return kept if len(kept) != 4 else [*kept, kept[0]]

    def _box(self, outline: list[tuple[float, float]]) -> tuple[int, int, int, int] | None:
        """Returns left, top, right and bottom of an outline; None if it is out of the picture."""
        if not outline:
            return None
        x, y = zip(*outline, strict=True)
        left, top = max(int(min(x)), 0), max(int(min(y)), 0)
        right, bottom = min(int(max(x)) + 2, self.camera.width), min(int(max(y)) + 2, self.camera.height)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _before(self, a: float, b: float, c: float) -> tuple[int, int, int, int] | None:
        """Returns the rows in which an endless plane of nearness a x + b y + c lies before the eye."""
        ends = np.array([(c + a * x) / -b if b else 0.0 for x in (0, self.camera.width)])
        top = int(np.clip(ends.min(), 0, self.camera.height)) if b > 0 else 0
        return (0, top, self.camera.width, self.camera.height) if top < self.camera.height else None


def _halvings(texture: Texture, outline: list[tuple[float, float]]) -> int:
    """Counts how often a texture must be halved so that one of its pixels covers about one of ours."""
    rows, columns = texture.pixels.shape[:2]
    if len(outline) != 4:
        return 1
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = outline
    area = abs((x2 - x0) * (y3 - y1) - (x3 - x1) * (y2 - y0)) / 2
    across = max(math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x3, y2 - y3)) / columns
    down = max(math.hypot(x3 - x0, y3 - y0), math.hypot(x2 - x1, y2 - y1)) / rows
    scale = max(math.sqrt(area / (rows * columns)), max(across, down) / 3, 1e-6)
    return int(max(0.35 - math.log2(scale), 0.0))
