"""Trees, seen from the side."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.texture import Texture

TREES = ("broad", "poplar", "conifer", "palm", "bare")
_GREENS = ((74, 112, 52), (96, 128, 58), (60, 96, 58), (52, 88, 50), (122, 134, 62), (176, 124, 56))
_BARK = (82, 64, 50)


def draw_tree(rng: np.random.Generator, kind: str) -> Texture:
    """Draws a tree of a kind of `TREES` in a square of which it fills the height."""
    canvas = Canvas(1, 1, 200)
    green = _GREENS[rng.integers(len(_GREENS) if kind in ("broad", "poplar") else len(_GREENS) - 2)]
    if kind == "palm":
        _palm(canvas, rng, green)
    elif kind == "conifer":
        canvas.rectangle(0.47, 0, 0.06, 0.2, _BARK)
        for layer in range(11):
            low, half = 0.08 + 0.08 * layer, 0.26 * (1 - layer / 11.5)
            for x in np.linspace(-half, half, 9):
                tip = (0.5 + x, low - 0.02 + 0.25 * abs(x) * rng.uniform(0, 0.4))
                tone = mix(green, (14, 24, 18), float(np.clip(0.35 + x / half * 0.25 + rng.normal(0, 0.1), 0, 0.8)))
                twig = [tip, (0.5 + x * 0.5, low + 0.12), (0.5 + x * 0.3, low + 0.1), (0.5 + x * 0.6, low)]
                canvas.polygon(twig, tone)
                canvas.line([(0.5, low + 0.13), tip], tone, 0.03)
    else:
        _branches(canvas, rng, np.array((0.5, 0.0)), np.pi / 2, 0.3, 0.035, 5 if kind == "bare" else 3)
        if kind != "bare":
            _crown(canvas, rng, green, (0.15, 0.38) if kind == "poplar" else (0.36, 0.3))
    return canvas.texture()


def _crown(canvas: Canvas, rng: np.random.Generator, green: Colour, radii: tuple[float, float]) -> None:
    centre = np.array((0.5, 0.97 - radii[1]))
    lobes = centre + rng.uniform(-0.55, 0.55, (9, 2)) * radii
    lobes[0] = centre
    for shade in (0.5, 0.25, 0.0, -0.22):
        for lobe in lobes:
            for _ in range(22):
                turn, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * 0.5
                off = far * np.array((np.cos(turn), np.sin(turn))) * radii
                at = lobe + off + np.array((-0.02, 0.03)) * (0.5 - shade)
                tone = mix(green, (14, 24, 16), shade) if shade > 0 else mix(green, (236, 236, 150), -shade)
                canvas.disc(*at, rng.uniform(0.012, 0.034) * (1 if shade > 0 else 0.6), tone)


def _branches(canvas: Canvas, rng: np.random.Generator, foot: np.ndarray, turn: float, length: float, thick: float,
              depth: int) -> None:
    tip = foot + length * np.array((np.cos(turn), np.sin(turn)))
    canvas.line([foot, tip], _BARK, thick)
    if depth:
        for side in (-1, 1):
            _branches(canvas, rng, tip, turn + side * rng.uniform(0.2, 0.6), length * rng.uniform(0.62, 0.8),
                      thick * 0.62, depth - 1)


def _palm(canvas: Canvas, rng: np.random.Generator, green: Colour) -> None:
    bend = rng.uniform(-0.08, 0.08)
    stem = [(0.5 + bend * (y / 0.75) ** 2, y) for y in np.linspace(0, 0.75, 8)]
    canvas.line(stem, mix(_BARK, (150, 130, 100), 0.4), 0.035)
    top = np.array(stem[-1])
    for turn in np.linspace(-0.5, np.pi + 0.5, 11):
        reach = np.linspace(0, 0.3, 9)
        spine = top + np.stack([reach * np.cos(turn), reach * np.sin(turn) * 0.8 - 2.4 * reach ** 2 + 0.02], 1)
        tone = mix(green, (14, 24, 16), rng.uniform(0, 0.4))
        for point in spine[2:]:
            canvas.line([point, np.add(point, (0.02 * np.sign(np.cos(turn)), -0.07))], tone, 0.014)
        canvas.line(spine, tone, 0.014)
