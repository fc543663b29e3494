"""Cars, buses and street lamps, seen from the side."""

import itertools

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.texture import Texture

_PAINTS: tuple[Colour, ...] = ((178, 40, 40), (232, 232, 234), (40, 44, 52), (156, 160, 166), (44, 78, 130),
                               (226, 186, 60), (72, 104, 84))
_GLASS = (58, 70, 82)
_TYRE = (30, 30, 32)


def draw_car(rng: np.random.Generator) -> Texture:
    """Draws a car 4.4 m long and 1.5 m high that fills its picture."""
    canvas = Canvas(4.4, 1.5, 60)
    paint = _PAINTS[rng.integers(len(_PAINTS))]
    canvas.polygon([(0.05, 0.35), (0.05, 0.8), (0.9, 0.92), (1.4, 1.45), (3.0, 1.45), (3.6, 0.95), (4.3, 0.82),
                    (4.35, 0.35)], paint)
    canvas.polygon([(1.1, 0.93), (1.48, 1.36), (2.15, 1.36), (2.15, 0.93)], _GLASS)
    canvas.polygon([(2.25, 0.93), (2.25, 1.36), (2.92, 1.36), (3.36, 0.93)], _GLASS)
    canvas.line([(0.1, 0.7), (4.3, 0.7)], mix(paint, (255, 255, 255), 0.35), 0.05)
    canvas.shade(0, 0.2, 4.4, 0.4, 0.9, 0.5)
    canvas.rectangle(0.06, 0.66, 0.16, 0.12, (250, 240, 200), 255)
    canvas.rectangle(4.2, 0.66, 0.14, 0.12, (200, 40, 36), 160)
    for x in (0.95, 3.5):
        canvas.disc(x, 0.33, 0.33, _TYRE)
        canvas.disc(x, 0.33, 0.18, (168, 170, 174))
    return canvas.texture()


def draw_bus(rng: np.random.Generator) -> Texture:
    """Draws a bus 10 m long and 3 m high that fills its picture."""
    canvas = Canvas(10, 3, 32)
    paint = _PAINTS[rng.integers(len(_PAINTS))]
    canvas.rectangle(0.05, 0.4, 9.9, 2.55, paint)
    canvas.rectangle(0.05, 0.9, 9.9, 0.25, mix(paint, (255, 255, 255), 0.6))
    for number in range(8):
        canvas.rectangle(0.3 + 1.2 * number, 1.5, 1.05, 1.05, _GLASS, 200)
    canvas.shade(0, 0.3, 10, 0.6, 0.9, 0.6)
    for x in (2.0, 7.8):
        canvas.disc(x, 0.45, 0.45, _TYRE)
        canvas.disc(x, 0.45, 0.22, (160, 160, 164))
    return canvas.texture()


def draw_lamp(rng: np.random.Generator) -> Texture:
    """Draws a street lamp 6 m high with one or two heads, in a picture 2 m wide."""
    canvas = Canvas(2, 6, 40)
    iron = ((44, 50, 48), (70, 66, 62), (120, 124, 126))[rng.integers(3)]
    canvas.line([(1, 0), (1, 5.4)], iron, 0.12)
    canvas.rectangle(0.85, 0, 0.3, 0.8, iron)
    heads = (1.0,) if rng.random() < 0.5 else (0.45, 1.55)
    if len(heads) == 2:
        canvas.line([(0.45, 5.0), (1, 5.4), (1.55, 5.0)], iron, 0.09)
    for x in heads:
        low = 5.4 if len(heads) == 1 else 4.95
        canvas.polygon([(x - 0.12, low), (x + 0.12, low), (x + 0.22, low + 0.45), (x - 0.22, low + 0.45)],
                       (244, 232, 196), 255)
        canvas.polygon([(x - 0.26, low + 0.45), (x + 0.26, low + 0.45), (x, low + 0.6)], iron)
    return canvas.texture()


def draw_parasol(rng: np.random.Generator) -> Texture:
    """Draws a café's parasol 2.6 m high over a table, in a picture 3 m wide."""
    canvas = Canvas(3, 2.6, 50)
    cloth = _PAINTS[rng.integers(len(_PAINTS))]
    canvas.line([(1.5, 0), (1.5, 2.4)], (110, 96, 80), 0.07)
    canvas.rectangle(0.9, 0.72, 1.2, 0.08, (226, 220, 208))
    edges = np.linspace(0.05, 2.95, 7)
    for number, (left, right) in enumerate(itertools.pairwise(edges)):
        colour = cloth if number % 2 else mix(cloth, (255, 255, 255), 0.75)
        canvas.polygon([(left, 1.85), (right, 1.85), (1.5, 2.55)], colour)
    return canvas.texture()
