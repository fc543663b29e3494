"""People, seen from the front, from behind or from the side."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.texture import Texture

_SKINS: tuple[Colour, ...] = ((236, 200, 172), (206, 158, 122), (150, 104, 76), (98, 66, 48))
_HAIRS: tuple[Colour, ...] = ((40, 32, 28), (84, 56, 36), (178, 138, 84), (120, 118, 116), (26, 24, 26))
_CLOTHES: tuple[Colour, ...] = ((186, 60, 56), (52, 84, 138), (232, 228, 220), (60, 62, 66), (222, 178, 76),
                                (88, 128, 92), (148, 98, 140), (236, 150, 96), (120, 164, 190))
_TROUSERS: tuple[Colour, ...] = ((48, 58, 84), (58, 54, 52), (140, 122, 98), (32, 32, 38))


def draw_person(rng: np.random.Generator) -> Texture:
    """Draws a person in a square half as wide as they are tall, who fills its height."""
    def one_of(colours: tuple[Colour, ...]) -> Colour:
        return colours[rng.integers(len(colours))]

    canvas = Canvas(0.56, 1, 240)
    skin, hair, shirt, trousers = one_of(_SKINS), one_of(_HAIRS), one_of(_CLOTHES), one_of(_TROUSERS)
    dark, stride, stout = mix(shirt, (20, 20, 24), 0.3), rng.uniform(0.02, 0.09), rng.uniform(0.9, 1.25)
    back, skirt = rng.random() < 0.5, rng.random() < 0.25
    for side in (-1, 1):
        foot = 0.28 + side * stride
        canvas.line([(0.28 + side * 0.035, 0.47), (foot, 0.03)], skin if skirt else trousers, 0.062 * stout)
        canvas.line([(foot - 0.02, 0.02), (foot + 0.035, 0.02)], (44, 38, 36), 0.03)
    if skirt:
        canvas.polygon([(0.2, 0.5), (0.36, 0.5), (0.41, 0.24), (0.15, 0.24)], dark)
    wide = 0.085 * stout
    canvas.polygon([(0.28 - wide, 0.46), (0.28 + wide, 0.46), (0.28 + wide * 1.25, 0.78), (0.28 + 0.04, 0.83),
                    (0.28 - 0.04, 0.83), (0.28 - wide * 1.25, 0.78)], shirt)
    for side in (-1, 1):
        raised = rng.random() < 0.15
        elbow = np.array((0.28 + side * wide * 1.7, 0.62))
        hand = np.array((0.28 + side * wide * (1.2 if raised else 1.6), 0.84 if raised else 0.46))
        canvas.line([(0.28 + side * wide * 1.15, 0.77), elbow], dark, 0.045)
        canvas.line([elbow, hand], dark if rng.random() < 0.5 else skin, 0.038)
        canvas.disc(*hand, 0.021, skin)
    canvas.rectangle(0.257, 0.8, 0.046, 0.06, skin)
    canvas.disc(0.28, 0.915, 0.056, skin)
    crown = [(0.28 + 0.062 * np.cos(a), 0.925 + 0.062 * np.sin(a)) for a in np.linspace(-0.1, np.pi + 0.1, 15)]
    canvas.polygon(crown, hair)
    if back:
        canvas.disc(0.28, 0.915, 0.058, hair)
        if rng.random() < 0.5:
            canvas.polygon([(0.215, 0.56), (0.345, 0.56), (0.345, 0.77), (0.215, 0.77)], one_of(_CLOTHES))
    elif rng.random() < 0.3:
        canvas.rectangle(0.205, 0.95, 0.15, 0.016, one_of(_CLOTHES))
        canvas.rectangle(0.235, 0.955, 0.09, 0.04, one_of(_CLOTHES))
    canvas.shade(0.28 + wide * 0.3, 0.2, 0.2, 0.62, 0.84, 0.84)
    return canvas.texture()
