"""Statues, as silhouettes that face the camera."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.panel import Panel, sprite

_FIGURE = ((0.30, 0), (0.70, 0), (0.66, 0.3), (0.64, 0.52), (0.72, 0.6), (0.66, 0.78), (0.56, 0.84), (0.44, 0.84),
           (0.36, 0.78), (0.28, 0.56), (0.36, 0.5), (0.34, 0.3))
_WINGS = ((0.42, 0.62), (0.1, 0.98), (0.02, 0.7), (0.2, 0.45), (0.5, 0.5), (0.8, 0.45), (0.98, 0.7), (0.9, 0.98),
          (0.58, 0.62))
_HORSE = ((0.12, 0), (0.2, 0), (0.26, 0.3), (0.62, 0.32), (0.68, 0), (0.75, 0), (0.74, 0.3), (0.82, 0.5), (0.96, 0.5),
          (0.98, 0.56), (0.86, 0.68), (0.76, 0.66), (0.68, 0.5), (0.3, 0.52), (0.18, 0.5), (0.08, 0.2), (0.1, 0.48),
          (0.16, 0.54), (0.1, 0.4))


def statue(mason: Mason, x: float, z: float, base: float, height: float, kind: str) -> Panel:
    """Returns a bronze figure.

    Args:
        mason: Of the building.
        x, z, base: Where it stands, metres.
        height: Metres.
        kind: "orator", "angel" or "rider".
    """
    canvas = Canvas(height, height, mason.density)
    metal = mason.building.palette.metal
    dark, pale = mix(metal, (30, 30, 30), 0.35), mix(metal, (255, 255, 255), 0.2)
    if kind == "rider":
        canvas.polygon(np.multiply(_HORSE, height), dark)
        figure = np.array(_FIGURE) * (0.32, 0.6) + np.array((0.32, 0.38))
    else:
        figure = np.array(_FIGURE) * (0.5, 1) + np.array((0.25, 0))
        if kind == "angel":
            canvas.polygon(np.multiply(_WINGS, height), pale)
        else:
            canvas.line([(0.55 * height, 0.72 * height), (0.86 * height, 0.97 * height)], metal, 0.07 * height)
    canvas.polygon(figure * height, metal)
    middle, top = figure[:, 0].mean() * height, figure[:, 1].max() * height
    canvas.disc(middle, top + 0.05 * height, 0.065 * height, metal)
    canvas.shade(middle, 0, height, height, 0.8, 0.7)
    return sprite(canvas.texture(), x, z, base, height, height, lift=0.2 * height)
