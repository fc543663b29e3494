"""The ground around a landmark: paving, lawns, paths, sand, water."""

from dataclasses import dataclass

import cv2
import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.frame import Frame
from landmark_zoo.data.synthetic.light import Light
from landmark_zoo.data.synthetic.masonry import cloudy
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.texture import Texture

GROUNDS = ("paving", "cobbles", "lawn", "asphalt", "sand", "water")
_COLOURS = {"paving": (172, 162, 150), "cobbles": (130, 126, 122), "lawn": (98, 126, 66), "asphalt": (104, 104, 108),
            "sand": (206, 182, 140), "water": (74, 104, 122)}
_PIXELS = 384


@dataclass(frozen=True)
class Ground:
    """A square map of the ground.

    Attributes:
        kind: One of `GROUNDS`.
        map: uint8 [P, P, 3], seen from above, back at the top.
        grain: uint8 [G, G], fine structure, 128 on average.
        reach: Metres from the middle of the map to its edge.
    """

    kind: str
    map: np.ndarray
    grain: np.ndarray
    reach: float


def draw_ground(rng: np.random.Generator, kind: str, reach: float) -> Ground:
    """Draws a ground of a kind of `GROUNDS` that reaches `reach` metres to each side."""
    density = _PIXELS / (2 * reach)
    base = np.array(_COLOURS[kind], np.float32) * (1 + 0.07 * cloudy(rng, _PIXELS, 5)[..., None])
    canvas = Canvas(2 * reach, 2 * reach, density, np.clip(base, 0, 255).astype(np.uint8))
    trim = np.array(_COLOURS[kind]) * rng.uniform(0.75, 1.2)
    trim = tuple(int(value) for value in np.clip(trim, 0, 255))
    if kind in ("paving", "cobbles"):
        step = reach / rng.integers(6, 14)
        for number in range(int(2 * reach / step) + 1):
            canvas.line([(number * step, 0), (number * step, 2 * reach)], trim, 0.08 * step)
            canvas.line([(0, number * step), (2 * reach, number * step)], trim, 0.08 * step)
        if rng.random() < 0.4:
            canvas.disc(reach, reach * 0.72, reach * 0.16, _COLOURS["lawn"])
    elif kind in ("lawn", "sand", "water"):
        path = _COLOURS["sand"] if kind == "lawn" else _COLOURS["paving"]
        wide = reach * rng.uniform(0.05, 0.12)
        canvas.rectangle(reach - wide, 0, 2 * wide, reach, path)
        canvas.rectangle(reach * 0.6, reach * 0.55, reach * 0.8, reach * 0.9, path)
        if rng.random() < 0.6:
            canvas.rectangle(0, reach * 0.6 - wide, 2 * reach, 2 * wide, path)
    else:
        canvas.rectangle(reach * 0.55, reach * 0.6, reach * 0.9, reach * 0.8, _COLOURS["paving"])
        for number in range(12):
            canvas.rectangle(reach * number / 6, reach * 0.4, reach * 0.09, reach * 0.012, (224, 222, 214))
    return Ground(kind, np.ascontiguousarray(canvas.pixels[..., :3]), _grain(rng, kind), reach)


def lay_ground(frame: Frame, camera: Camera, ground: Ground, light: Light, casters: list[Panel]) -> None:
    """Draws the ground, the shadows on it and its grain.

    Args:
        frame: Picture to draw in, before anything else stands in it.
        camera: Whose picture.
        ground: What to draw.
        light: The sun that throws the shadows, and the weather.
        casters: Panels that throw a shadow.
    """
    picture = ground.map
    strength = float(np.mean(light.sunlight)) / float(np.mean(light.sunlight) + np.mean(light.ambient))
    if strength > 0.15:
        dark = _shadows(ground, light, casters, 0.9 * strength)
        picture = cv2.multiply(picture, cv2.cvtColor(dark, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    if light.weather == "snow":
        picture = cv2.addWeighted(picture, 0.3, np.full_like(picture, 216), 0.7, 0)
    reach = ground.reach
    texture = Texture(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA))
    panel = Panel(texture, (-reach, 0, -reach), (2 * reach, 0, 0), (0, 0, 2 * reach))
    frame.draw(panel, light.gain(panel.normal, False), "day", 0, cv2.BORDER_REFLECT)
    _add_grain(frame, camera, ground)


def _shadows(ground: Ground, light: Light, casters: list[Panel], strength: float) -> np.ndarray:
    side = ground.map.shape[0]
    mask = np.zeros((side, side), np.uint8)
    slope = np.array((light.sun[0], light.sun[2])) / max(light.sun[1], 0.12)
    for panel in casters:
        corners = panel.corners
        flat = corners[:, (0, 2)] - corners[:, 1:2] * slope
        pixels = (flat + ground.reach) * (side / (2 * ground.reach))
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(pixels * 16).astype(np.int32)), 255, cv2.LINE_8, 4)
    return (255 - strength * cv2.GaussianBlur(mask, (3, 3), 0)).astype(np.uint8)


def _grain(rng: np.random.Generator, kind: str) -> np.ndarray:
    side = 128
    noise = rng.standard_normal((side, side), np.float32)
    if kind in ("paving", "cobbles"):
        step = 32 if kind == "paving" else 16
        at = np.arange(side)
        offset = (at // step % 2) * (step // 2)
        joints = (at % step < 2)[:, None] | ((at[None] + offset[:, None]) % step < 2)
        tone = np.repeat(np.repeat(rng.standard_normal((side // step, side // step)), step, 0), step, 1)
        noise = 0.4 * noise + 0.9 * tone - 3.0 * joints
    elif kind == "water":
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=6, sigmaY=1.2) * 5
    elif kind == "lawn":
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.6, sigmaY=1.6) * 2
    return np.clip(128 + 16 * noise, 0, 255).astype(np.uint8)


def _add_grain(frame: Frame, camera: Camera, ground: Ground) -> None:
    span = 6.0 if ground.kind != "water" else 30.0
    plane = camera.matrix @ np.array([[span, 0, 0], [0, 0, 0], [0, span, 0], [0, 0, 1.0]])
    inverse = np.diag([128.0, 128.0, 1.0]) @ cv2.invert(plane)[1]
    top = int(np.argmax(frame.nearness.max(1) > 0)) if frame.nearness.any() else camera.height
    if top >= camera.height:
        return
    inverse = inverse @ np.array([[1, 0, 0], [0, 1, top], [0, 0, 1.0]])
    size = (camera.width, camera.height - top)
    grain = cv2.warpPerspective(ground.grain, inverse, size, None, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                cv2.BORDER_WRAP)
    faded = (grain - np.float32(128)) * np.minimum(frame.nearness[top:] * np.float32(22), 1) + np.float32(128)
    factors = cv2.cvtColor(faded.astype(np.uint8), cv2.COLOR_GRAY2RGBA)
    frame.colour[top:] = cv2.multiply(frame.colour[top:], factors, scale=1 / 128)
