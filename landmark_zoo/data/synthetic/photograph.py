"""One photograph of a site."""

import copy
from dataclasses import dataclass

import cv2
import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.develop import develop
from landmark_zoo.data.synthetic.frame import Frame
from landmark_zoo.data.synthetic.ground import lay_ground
from landmark_zoo.data.synthetic.light import Light, draw_light
from landmark_zoo.data.synthetic.occluders import draw_occluders
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.site import Site
from landmark_zoo.data.synthetic.sky import paint_sky
from landmark_zoo.data.synthetic.viewpoint import draw_viewpoint

_FINER = 1.25
_OCCLUSION = {"any": (0.0, 0.5), "easy": (0.0, 0.15), "hard": (0.3, 1.0), "junk": (0.5, 1.0)}
_LANDMARK = 1


@dataclass(frozen=True)
class Photograph:
    """A picture and the truth about it.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        box: x1, y1, x2, y2 round the landmark in the picture, pixels; None where it does not show.
        visible: Share of the landmark's outline that is in the picture and not hidden, 0..1.
        turn: Angle between the line of sight and the landmark's front, radians.
        moment: "day", "dusk" or "night".
    """

    image: np.ndarray
    box: tuple[float, float, float, float] | None
    visible: float
    turn: float
    moment: str


def photograph(site: Site, number: int, view: str = "any") -> Photograph:
    """Takes a photograph; equal arguments give equal photographs.

    Args:
        site: What is photographed.
        number: Of the photograph.
        view: One of `viewpoint.VIEWS`: how well the landmark shall show.
    """
    rng = np.random.default_rng([site.seed, 2, site.number, number])
    camera = draw_viewpoint(rng, site.bounds, round(site.long_side * _FINER), view)
    lamps = site.building.floodlight if site.building else (1.0, 1.0, 1.0)
    light = draw_light(rng, lamps, {"easy": "day"}.get(view), {"easy": str(rng.choice(("clear", "cloudy")))}.get(view))
    frame = Frame(camera, paint_sky(camera, light, rng, site.street.hills))
    lay_ground(frame, camera, site.street.ground, light, site.panels)
    _draw(frame, light, site.panels, _LANDMARK)
    outline = frame.owner == _LANDMARK
    _draw(frame, light, [panel for panel in site.street.panels if not panel.sprite], 2)
    amount = float(rng.uniform(*_OCCLUSION[view]))
    passers = draw_occluders(rng, site.stock, camera, amount)
    frame = _crowded(frame, light, passers + [panel for panel in site.street.panels if panel.sprite], view == "easy")
    seen = frame.owner == _LANDMARK
    size = (round(camera.width / _FINER), round(camera.height / _FINER))
    picture = develop(_hazy(frame, light, camera, size), rng, light, poor=view == "hard")
    hidden = 1 - seen.sum() / max(outline.sum(), 1)
    visible = float((1 - hidden) * _inside(camera, site)) if outline.any() else 0.0
    turn = float(np.arctan2(camera.position[0], camera.position[2]))
    return Photograph(picture, _box(seen, size), visible, turn, light.moment)


def _crowded(frame: Frame, light: Light, panels: list[Panel], polite: bool) -> Frame:
    """Returns the frame with trees, people and cars in it; `polite` ones stay away if they would hide too much."""
    crowded = copy.deepcopy(frame) if polite else frame
    _draw(crowded, light, panels, 3)
    if polite and (crowded.owner == _LANDMARK).sum() < 0.7 * (frame.owner == _LANDMARK).sum():
        return frame
    return crowded


def _draw(frame: Frame, light: Light, panels: list[Panel], owner: int) -> None:
    for panel in panels:
        normal = None if panel.sprite else panel.normal
        gain = light.gain(normal, owner == _LANDMARK)
        if light.weather == "snow" and normal is not None and normal[1] > 0.2:
            gain = tuple(1.5 * value for value in gain)
        frame.draw(panel, gain, light.moment, owner)


def _hazy(frame: Frame, light: Light, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """Returns the frame in its final size, things paler the farther they are."""
    image = cv2.resize(frame.colour, size, interpolation=cv2.INTER_LINEAR)[..., :3]
    nearness = cv2.resize(frame.nearness, size, interpolation=cv2.INTER_NEAREST)
    distance = float(np.linalg.norm(np.subtract(camera.target, camera.position)))
    thick = -np.log(1 - min(light.haze + 0.02, 0.9)) / distance
    share = np.where(nearness > 0, 1 - np.exp(-thick / np.maximum(nearness, 1e-6)), light.haze * 0.6)[..., None]
    return (image * (1 - share) + np.array(light.horizon, np.float32) * share).astype(np.uint8)


def _inside(camera: Camera, site: Site) -> float:
    """Returns the share of the landmark's outline, taken as a box, that the frame holds."""
    corners = np.array([(x, y, z) for x in (site.bounds.low[0], site.bounds.high[0])
                        for y in (site.bounds.low[1], site.bounds.high[1])
                        for z in (site.bounds.low[2], site.bounds.high[2])])
    points = camera.project(corners)
    if (points[:, 2] <= 0.1).any():
        return 0.3
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    kept = np.minimum(high, (camera.width, camera.height)) - np.maximum(low, 0)
    return float(np.prod(np.clip(kept, 0, None)) / np.prod(high - low))


def _box(seen: np.ndarray, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
    if not len(columns):
        return None
    x, y = size[0] / seen.shape[1], size[1] / seen.shape[0]
    return (float(columns[0] * x), float(rows[0] * y), float((columns[-1] + 1) * x), float((rows[-1] + 1) * y))
