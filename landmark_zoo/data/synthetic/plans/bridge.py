"""A suspension bridge between two towers."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, hip_roof, upright


def bridge(mason: Mason) -> list[Panel]:
    """Returns the panels of a bridge; it crosses the view from left to right."""
    plan, u = mason.building, mason.unit
    length, depth, deck = 120 * u, 9 * u, (9 + 4 * plan.window_share) * u
    tall, apart = (34 + 22 * plan.slender) * u, (46 + 16 * plan.steepness) * u
    steel = mix(plan.palette.roof, plan.palette.metal, 0.3)
    panels = block(mason, 0, -depth / 2, length, depth, deck, 3 * u, Facade(crown="balustrade"))
    cables = _cables(mason, length, tall - deck, apart, steel).texture()
    panels += [upright(cables, length, out, deck, tall - deck, closed=False) for out in (0.0, -depth)]
    shape = plan.window if plan.window != "square" else "pointed"
    for place in (-1, 1):
        x = place * apart / 2
        pier = Facade(storeys=4, bays=2, window=shape, tall=0.7, clock=plan.clock)
        panels += block(mason, x, -depth / 2, 10 * u, depth * 1.5, 0, tall, pier)
        if plan.steepness > 0.75:
            panels += hip_roof(mason, x, -depth / 2, 10.5 * u, depth * 1.55, tall - 2 * u, 14 * plan.steepness * u)
        panels += block(mason, place * length * 0.5, -depth / 2, 8 * u, depth * 1.3, 0, deck + 9 * u)
    if plan.towers > 2:
        panels += block(mason, 0, -depth / 2, apart, depth * 0.4, tall * 0.74, 3 * u, Facade(storeys=1, bays=15))
    return panels


def _cables(mason: Mason, length: float, height: float, apart: float, steel: Colour) -> Canvas:
    canvas = Canvas(length, height, mason.density)
    u, middle = mason.unit, length / 2
    x = np.linspace(0, length, 121)
    inside = np.abs(x - middle) <= apart / 2
    sag = np.where(inside, 0.2 + 0.76 * ((x - middle) / (apart / 2)) ** 2,
                   0.96 - 0.9 * ((np.abs(x - middle) - apart / 2).clip(0) / (middle - apart / 2)) ** 0.8)
    points = np.stack([x, height * sag.clip(0.05, 0.98)], 1)
    for foot, top in points[::3]:
        canvas.line([(foot, 0), (foot, top)], steel, 0.2 * u)
    canvas.line(points, steel, 0.9 * u)
    canvas.lights[canvas.pixels[..., 3] > 127] = 150
    return canvas
