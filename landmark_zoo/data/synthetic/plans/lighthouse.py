"""A lighthouse or a windmill on a low house."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import dome
from landmark_zoo.data.synthetic.solids import block, gable_roof, round_body, upright


def lighthouse(mason: Mason) -> list[Panel]:
    """Returns the panels of a lighthouse, or of a windmill for one seed in three."""
    plan, u = mason.building, mason.unit
    mill = plan.seed % 3 == 0
    radius, height = ((13 if mill else 8) + 4 * (1 - plan.slender)) * u, (44 if mill else 64 + 12 * plan.slender) * u
    canvas = mason.canvas(np.pi * radius, height, plan.palette.wall)
    bands = 3 + plan.storeys
    if not mill:
        for number in range(0, bands, 2):
            if plan.stripes or plan.seed % 2:
                canvas.rectangle(0, height * number / bands, canvas.width, height / bands, plan.palette.roof)
    for row in range(4):
        x = canvas.width * (0.5 + 0.1 * (-1) ** row)
        canvas.rectangle(x, height * (0.18 + 0.2 * row), 0.16 * radius, 0.3 * radius, (44, 44, 52), 220)
    panels = [round_body(canvas, "taper", 0, 0, 0)]
    if mill:
        panels += dome(mason, 0, 0, radius * 0.68, height - u, radius * 0.8, shape="hemisphere")
        panels.append(_sails(mason, 66 * u, height, radius * 0.9))
    else:
        gallery = mason.canvas(np.pi * radius * 0.95, 3 * u, plan.palette.trim)
        panels.append(round_body(gallery, "shaft", 0, 0, height - u))
        lamp = Canvas(np.pi * radius * 0.5, 8 * u, mason.density)
        lamp.rectangle(0, 0, lamp.width, lamp.height, (226, 222, 190), 255)
        for x in np.linspace(0, lamp.width, 6):
            lamp.line([(x, 0), (x, lamp.height)], plan.palette.door, 0.6 * u)
        panels.append(round_body(lamp, "shaft", 0, 0, height + 2 * u))
        panels += dome(mason, 0, 0, radius * 0.58, height + 10 * u, 5 * u, shape="saucer")
    width = (26 + 14 * plan.window_share) * u
    x = (-1) ** plan.towers * (width / 2 + radius * 0.4)
    panels += block(mason, x, 0, width, 15 * u, 0, 11 * u, Facade(storeys=1, bays=5, portals=plan.bays % 2))
    panels += gable_roof(mason, x, 0, width, 16 * u, 11 * u, 8 * plan.steepness * u, "x")
    return panels


def _sails(mason: Mason, span: float, height: float, out: float) -> Panel:
    canvas = Canvas(span, span, mason.density)
    middle, palette = np.array((span / 2, span / 2)), mason.building.palette
    for quarter in range(4):
        angle = 0.35 + quarter * np.pi / 2
        along, aside = np.array((np.cos(angle), np.sin(angle))), np.array((-np.sin(angle), np.cos(angle)))
        canvas.line([middle, middle + along * span * 0.48], palette.door, 0.018 * span)
        for share in np.linspace(0.12, 0.48, 10):
            foot = middle + along * span * share
            canvas.line([foot, foot + aside * span * 0.08], palette.trim, 0.008 * span)
        canvas.line([middle + along * span * 0.12 + aside * span * 0.08, middle + along * span * 0.48
                     + aside * span * 0.08], palette.trim, 0.008 * span)
    return upright(canvas.texture(), span, out, height - span / 2 + 2 * mason.unit, span, closed=False)
