"""A renderer of textured quads: camera, textures, z-buffer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np

Color = tuple[int, int, int]

_NEAR, _SHIFT = 0.3, 4
_LAMP = (1.0, 0.84, 0.55, 0.0)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in a world in metres: x to the right, y up, z towards the viewer of a building's front.

    Attributes:
        position: Center of projection, [3].
        target: The point it looks at, [3].
        roll: Rotation about the line of sight, radians.
        focal: Focal length in pixels.
        width, height: Image size in pixels.
        shift: Pixels by which the target lies right of and below the image center.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    roll: float
    focal: float
    width: int
    height: int
    shift: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def rotation(self) -> np.ndarray:
        """Axes of the image in the world, float64 [3, 3]: right, down, forward."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        return np.stack([cosine * right - sine * down, sine * right + cosine * down, forward])

    @cached_property
    def matrix(self) -> np.ndarray:
        """World directions to homogeneous pixels, float64 [3, 3]; the center of the first pixel is (0, 0)."""
        x, y = self.width / 2 + self.shift[0] - 0.5, self.height / 2 + self.shift[1] - 0.5
        return np.array([[self.focal, 0.0, x], [0.0, self.focal, y], [0.0, 0.0, 1.0]]) @ self.rotation

    @cached_property
    def rays(self) -> np.ndarray:
        """Homogeneous pixels to world directions of depth 1, float64 [3, 3]."""
        return cv2.invert(self.matrix)[1]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels and depth, float64 [..., 3], of world points [..., 3]; behind the camera the depth is negative."""
        x, y, depth = np.moveaxis((points - np.array(self.position)) @ self.matrix.T, -1, 0)
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        return np.stack([x / safe, y / safe, depth], axis=-1)


class Texture:
    """An image with transparency, in several resolutions, by day and by night.

    Args:
        pixels: uint8 [H, W, 4], RGB and alpha; what is less than half opaque is a hole.
        lights: uint8 [H, W], how much of it shines at night; None for nothing.
    """

    def __init__(self, pixels: np.ndarray, lights: np.ndarray | None = None):
        self.pixels, self.lights = pixels, lights
        self._levels: dict[tuple[int, bool], np.ndarray] = {}

    def level(self, halvings: int, night: bool = False) -> np.ndarray:
        """The image, uint8 [H / 2^n, W / 2^n, 4], its sides halved `halvings` times; the least side is 2 pixels."""
        key = (halvings, night and self.lights is not None)
        if key not in self._levels and halvings:
            finer = self.level(halvings - 1, night)
            rows, columns = (max(2, side // 2) for side in finer.shape[:2])
            self._levels[key] = cv2.resize(finer, (columns, rows), interpolation=cv2.INTER_AREA)
        elif key not in self._levels:
            glow = (self.lights[..., None] * np.array(_LAMP, np.float32)).astype(np.uint8) if key[1] else None
            self._levels[key] = self.pixels if glow is None else np.maximum(self.pixels, glow)
        return self._levels[key]


class Canvas(Texture):
    """A texture that is painted; x runs right and y up from its lower left corner, in metres.

    Args:
        width, height: Metres.
        density: Pixels per metre.
        color: Of the whole surface; None leaves it transparent.
        course, stripes: Height of the courses of its stone; every other one is darker.
    """

    def __init__(self, width: float, height: float, density: float, color: Color | None = None, course: float = np.inf,
                 stripes: bool = False):
        rows, columns = max(4, round(height * density)), max(4, round(width * density))
        super().__init__(np.zeros((rows, columns, 4), np.uint8), np.zeros((rows, columns), np.uint8))
        self.density = density
        if color is None:
            return
        place = np.arange(rows, dtype=np.float32)[::-1] / (density * course)
        shade = np.where((place.astype(int) % 2 == 1) & stripes, 0.74, 1.0)
        shade[(place % 1 < 1 / (density * course)) & (density * course > 3)] *= 0.86
        grain = _grain(1 << int(np.ceil(np.log2(max(rows, columns)))))[:rows, :columns] * shade[:, None]
        for channel, value in enumerate(color):
            self.pixels[..., channel] = cv2.multiply(grain, float(value), dtype=cv2.CV_8U)
        self.pixels[..., 3] = 255

    def fill(self, polygons: Sequence[np.ndarray], color: Color, light: int = 0) -> None:
        """Fills polygons [N, P, 2] that do not overlap; `light` (0..255) is how much of them shines at night."""
        corners = self._corners(polygons)
        cv2.fillPoly(self.pixels, corners, (*color, 255), cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.lights, corners, light, cv2.LINE_8, _SHIFT)

    def line(self, lines: Sequence[np.ndarray], color: Color, thickness: float) -> None:
        """Draws lines [N, P, 2] of `thickness` metres, at least one pixel."""
        pixels = max(1, round(thickness * self.density))
        cv2.polylines(self.pixels, self._corners(lines), False, (*color, 255), pixels, cv2.LINE_AA, _SHIFT)

    def cut(self, polygons: Sequence[np.ndarray]) -> None:
        """Makes holes, polygons [N, P, 2]."""
        corners = self._corners(polygons)
        for surface in (self.pixels, self.lights):
            cv2.fillPoly(surface, corners, (0, 0, 0, 0), cv2.LINE_8, _SHIFT)

    def _corners(self, polygons: Sequence[np.ndarray]) -> list[np.ndarray]:
        corners = np.asarray(polygons) * (self.density, -self.density) + (-0.5, len(self.pixels) - 0.5)
        return list(np.round(corners * (1 << _SHIFT)).astype(np.int32))


@dataclass(frozen=True)
class Quad:
    """A flat convex quadrilateral, seen from its outside only.

    Attributes:
        texture: Image on the quad.
        corners: float [4, 3] metres: upper left, upper right, lower right, lower left, as seen from outside.
    """

    texture: Texture
    corners: np.ndarray


def billboard(texture: Texture, camera: Camera, x: float, z: float, height: float) -> Quad:
    """The upright quad that stands at (x, z) on the ground and faces the camera."""
    sight = np.array((x - camera.position[0], z - camera.position[2]))
    right = np.array((-sight[1], 0.0, sight[0])) / max(np.linalg.norm(sight), 1e-6)
    right *= height * texture.pixels.shape[1] / texture.pixels.shape[0] / 2
    low, high = np.array((x, 0.0, z)), np.array((x, height, z))
    return Quad(texture, np.stack([high - right, high + right, low + right, low - right]))


def normals(quads: Sequence[Quad]) -> np.ndarray:
    """Unit vectors out of the quads' faces, float64 [N, 3]."""
    corners = np.stack([quad.corners for quad in quads])
    cross = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 3])
    return cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-12)


class Frame:
    """An image being rendered.

    Attributes:
        color: uint8 [H, W, 4].
        nearness: float32 [H, W], 1 / depth in 1 / metres; 0 where nothing stands.
        owner: uint8 [H, W], the number given to what is seen there; 0 for the backdrop.
    """

    def __init__(self, camera: Camera, backdrop: np.ndarray):
        self.camera = camera
        self.color = cv2.cvtColor(backdrop, cv2.COLOR_RGB2RGBA)
        self.nearness = np.zeros(backdrop.shape[:2], np.float32)
        self.owner = np.zeros(backdrop.shape[:2], np.uint8)

    def draw(self, quads: Sequence[Quad], gains: np.ndarray, night: bool = False, owner: int = 0) -> None:
        """Draws quads where they are nearer than what is there; one that reaches behind the camera is left out.

        Each is lit by its row of `gains`, factors of RGB [N, 3]; at night, windows shine. `owner` goes to `self.owner`.
        """
        if not quads:
            return
        corners, outward = np.stack([quad.corners for quad in quads]), normals(quads)
        offset = np.einsum("nk,nk->n", outward, corners[:, 0] - np.array(self.camera.position))
        points = self.camera.project(corners)
        low = np.clip(points[..., :2].min(1).astype(int), 0, None)
        high = np.clip(points[..., :2].max(1).astype(int) + 2, None, (self.camera.width, self.camera.height))
        planes = (outward @ self.camera.rays) / np.minimum(offset, -1e-6)[:, None]
        drawn = np.flatnonzero((points[..., 2].min(1) > _NEAR) & (low < high).all(1) & (offset < -1e-6))
        for place in drawn[np.argsort(points[drawn, :, 2].min(1))]:
            self._draw(quads[place].texture, points[place, :, :2], planes[place], (*low[place], *high[place]), gains[place],
                       night, owner)

    def _draw(self, texture: Texture, outline: np.ndarray, plane: np.ndarray, box: tuple[int, int, int, int],
              gain: np.ndarray, night: bool, owner: int) -> None:
        left, top, right, bottom = box
        area, nearness = np.s_[top:bottom, left:right], _plane(plane, box)
        nearer = nearness > self.nearness[area]
        if not nearer.any():
            return
        source = texture.level(_halvings(texture.pixels.shape, outline), night)
        rows, columns = source.shape[:2]
        edges = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - 0.5
        warp = cv2.getPerspectiveTransform(edges, (outline - (left, top)).astype(np.float32))
        image = cv2.warpPerspective(source, warp, (int(right - left), int(bottom - top)), None, cv2.INTER_LINEAR,
                                    cv2.BORDER_CONSTANT, (*source[rows // 2, columns // 2, :3].tolist(), 0))
        seen = nearer & (image[..., 3] > 127)
        cv2.copyTo(cv2.multiply(image, (*gain.tolist(), 1.0)), seen.view(np.uint8), self.color[area])
        np.copyto(self.nearness[area], nearness, where=seen)
        np.copyto(self.owner[area], owner, where=seen)

    def draw_ground(self, texture: np.ndarray, density: float, gain: Sequence[float]) -> None:
        """Draws the plane y = 0, tiled with a texture uint8 [T, T, 3] of `density` pixels per metre, times `gain` [3]."""
        camera = self.camera
        plane = -camera.rays[1] / camera.position[1]
        sides = [_plane(plane, (column, 0, column + 1, camera.height)) for column in (0, camera.width - 1)]
        top = int(np.argmax(np.maximum(*sides) > 1e-4))
        box, area = (0, top, camera.width, camera.height), np.s_[top:]
        nearness = np.maximum(_plane(plane, box), 1e-4)
        x, z = (np.mod((camera.position[axis] + _plane(camera.rays[axis], box) / nearness) * np.float32(density),
                       len(texture)).astype(np.float32) for axis in (0, 2))
        tile = cv2.remap(texture, x, z, cv2.INTER_LINEAR, None, cv2.BORDER_WRAP)
        sharp = np.clip(2.2 - density / (nearness * camera.focal), 0, 1)[..., None]
        mean = texture.mean((0, 1), dtype=np.float32)
        color = (mean + (tile - mean) * sharp) * np.array(gain, np.float32)
        seen = (nearness > 1e-4) & (nearness > self.nearness[area])
        np.copyto(self.color[area][..., :3], np.clip(color, 0, 255).astype(np.uint8), where=seen[..., None])
        np.copyto(self.nearness[area], nearness, where=seen)


def _plane(coefficients: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The values a x + b y + c at the pixels of a box (left, top, right, bottom), float32 [rows, columns]."""
    a, b, c = coefficients.astype(np.float32)
    left, top, right, bottom = box
    return a * np.arange(left, right, dtype=np.float32) + (b * np.arange(top, bottom, dtype=np.float32) + c)[:, None]


def _halvings(shape: tuple[int, ...], outline: np.ndarray) -> int:
    """Number of halvings of a texture after which one of its pixels covers about one of the image."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = outline.tolist()
    area = abs((x2 - x0) * (y3 - y1) - (x3 - x1) * (y2 - y0)) / 2
    across = max(np.hypot(x1 - x0, y1 - y0), np.hypot(x2 - x3, y2 - y3)) / shape[1]
    down = max(np.hypot(x3 - x0, y3 - y0), np.hypot(x2 - x1, y2 - y1)) / shape[0]
    scale = max(np.sqrt(area / (shape[0] * shape[1])), max(across, down) / 3, 1e-6)
    return int(max(0.35 - np.log2(scale), 0.0))


@lru_cache(maxsize=8)
def _grain(side: int) -> np.ndarray:
    """Weathering of a surface, float32 [side, side], about 1."""
    rng = np.random.default_rng(9)
    coarse = rng.standard_normal((max(side // 32, 2),) * 2).astype(np.float32)
    coarse = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return 1 + 0.05 * coarse + 0.045 * rng.standard_normal((side, side), np.float32)
