"""Where the photographer stands and what the frame takes in."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.camera import Camera

VIEWS = ("any", "easy", "hard", "junk")
_ASPECTS = (4 / 3, 3 / 2, 1.0, 3 / 4, 2 / 3, 16 / 9)
_TURN = {"any": 0.5, "easy": 0.3, "hard": 0.75, "junk": 0.7}
_FILL = {"any": (0.6, 1.2), "easy": (0.7, 0.95), "hard": (0.25, 1.2), "junk": (0.1, 0.16)}


@dataclass(frozen=True)
class Bounds:
    """A box round the landmark, metres: [3] least and greatest x, y, z."""

    low: np.ndarray
    high: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        return (self.low + self.high) / 2

    @property
    def extent(self) -> np.ndarray:
        return self.high - self.low


def draw_viewpoint(rng: np.random.Generator, bounds: Bounds, long_side: int, view: str) -> Camera:
    """Draws a camera.

    Args:
        rng: Source of chance.
        bounds: Of what it is turned to.
        long_side: Greater side of the picture, pixels.
        view: One of `VIEWS`: how well the landmark shall show.
    """
    wide, tall, deep = bounds.extent
    aspect = float(rng.choice(_ASPECTS[:3] if wide > 1.4 * tall and rng.random() < 0.8 else _ASPECTS))
    width, height = (long_side, round(long_side / aspect)) if aspect >= 1 else (round(long_side * aspect), long_side)
    focal = long_side / (2 * np.tan(float(rng.uniform(0.42, 0.66))))
    turn = float(np.clip(rng.normal(0, _TURN[view]), -1.25, 1.25))
    fill = float(rng.uniform(*_FILL[view]))
    seen = wide * abs(np.cos(turn)) + deep * abs(np.sin(turn))
    near = (deep * abs(np.cos(turn)) + wide * abs(np.sin(turn))) / 2
    distance = max(seen * focal / (fill * width), tall * focal / (fill * height)) + 0.7 * near
    level = 1.7 if rng.random() < 0.7 else float(rng.uniform(0.1, 0.8)) * tall + 2
    eye = bounds.middle + distance * np.array((np.sin(turn), 0, np.cos(turn)))
    target = bounds.middle + np.array((0, rng.uniform(-0.08, 0.06) * tall, 0))
    if view in ("any", "hard") and rng.random() < 0.22:
        focal *= float(rng.uniform(1.3, 2.1))
        target = target + rng.uniform((-0.25, 0.0, 0.0), (0.25, 0.25, 0.0)) * bounds.extent
    off = {"easy": 0.06, "junk": 0.62}.get(view, 0.16)
    shift = (float(rng.uniform(-off, off)) * width, float(rng.uniform(-0.5, 0.5)) * off * height)
    if view == "junk" and rng.random() < 0.5:
        shift = (float(np.sign(shift[0]) * 0.5 * width), shift[1])
    position = (float(eye[0]), level, float(eye[2]))
    roll = float(rng.normal(0, 0.025))
    return Camera(position, tuple(float(value) for value in target), roll, focal, width, height, shift)
