"""A great wheel on two legs."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, hip_roof, upright


def wheel(mason: Mason) -> list[Panel]:
    """Returns the panels of a great wheel."""
    plan, u = mason.building, mason.unit
    span, clear = (78 + 12 * plan.slender) * u, 7 * u
    hub = clear + span / 2
    steel = mix(plan.palette.trim, (220, 222, 226), 0.5)
    disc = upright(_disc(mason, span, steel).texture(), span, 0, clear, span, closed=False)
    panels = [disc, disc.moved(0, -4 * u)]
    legs = Canvas(span * 0.7, hub, mason.density)
    for side in (0.04, 0.96):
        legs.line([(legs.width * side, 0), (legs.width / 2, hub)], mix(steel, (60, 64, 70), 0.3), 2.2 * u)
    legs.line([(legs.width * 0.22, hub * 0.38), (legs.width * 0.78, hub * 0.38)], steel, 1.2 * u)
    frame = legs.texture()
    panels += [upright(frame, legs.width, z, 0, hub, closed=False) for z in (2.5 * u, -6.5 * u)]
    panels += block(mason, 0, 1 * u, span * (0.5 + 0.3 * plan.window_share), 14 * u, 0, 7 * u,
                    Facade(storeys=1, bays=plan.bays, arcade=plan.quoins))
    if plan.steepness > 0.8:
        panels += hip_roof(mason, 0, 1 * u, span * (0.5 + 0.3 * plan.window_share), 14 * u, 7 * u, 5 * u, 0.6)
    return panels


def _disc(mason: Mason, span: float, steel: Colour) -> Canvas:
    plan, u = mason.building, mason.unit
    canvas = Canvas(span, span, mason.density)
    middle, rim = span / 2, span * 0.455
    cabins = 16 + 2 * plan.bays
    turns = np.linspace(0, 2 * np.pi, cabins, endpoint=False)
    spokes = [np.array((middle + rim * np.cos(turn), middle + rim * np.sin(turn))) for turn in turns]
    for end in spokes:
        canvas.line([(middle, middle), end], steel, 0.25 * u)
    for radius, thickness in ((rim, 1.1), (rim * 0.93, 0.6), (rim * 0.5, 0.5) if plan.rose else (rim * 0.9, 0.4)):
        ring = [(middle + radius * np.cos(turn), middle + radius * np.sin(turn)) for turn in np.linspace(0, 6.2832, 65)]
        canvas.line(ring, steel, thickness * u)
    for number, (x, y) in enumerate(spokes):
        colours = (plan.palette.roof, plan.palette.metal, plan.palette.door)
        canvas.disc(x, y, 1.9 * u, colours[number % (1 + plan.towers % 3)], 200)
    canvas.disc(middle, middle, 3 * u, plan.palette.metal, 255)
    canvas.lights[canvas.pixels[..., 3] > 127] |= 120
    return canvas
