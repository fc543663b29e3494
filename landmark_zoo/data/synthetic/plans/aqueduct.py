"""An aqueduct: tiers of open arches, wider than high."""

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, upright


def aqueduct(mason: Mason) -> list[Panel]:
    """Returns the panels of an aqueduct."""
    plan, u = mason.building, mason.unit
    tiers, count = 1 + plan.towers % 3, plan.bays - (plan.bays > 7) * 2
    width, depth, low = 100 * u, 9 * u, 0.0
    panels = []
    for tier in range(tiers):
        height = (26 + 12 * plan.slender) * u * (1.0, 0.72, 0.42)[tier]
        spans = count * (1, 1, 3)[tier]
        texture = _tier(mason, width, height, spans).texture()
        panels += [upright(texture, width, 0, low, height, closed=False),
                   Panel(texture, (width / 2, low + height, -depth), (-width, 0, 0), (0, -height, 0), closed=False)]
        bay = width / spans
        jamb = mason.plain(depth, height * 0.6, mix(plan.palette.wall, (60, 52, 46), 0.35))
        for number in range(spans):
            for side in (0.12, 0.88):
                x = -width / 2 + (number + side) * bay
                panels.append(Panel(jamb, (x, low + height * 0.6, 0), (0, 0, -depth), (0, -height * 0.6, 0),
                                    closed=False))
        low += height
        panels += block(mason, 0, -depth / 2, width, depth * (1.12 - 0.1 * tier), low, 1.8 * u)
        low += 1.8 * u
        depth *= 0.85
    if plan.quoins or tiers == 1:
        for place in (-1, 1):
            panels += block(mason, place * width * 0.47, -depth / 2, 11 * u, depth * 1.5, 0, low + 14 * u)
    return panels


def _tier(mason: Mason, width: float, height: float, spans: int) -> Canvas:
    plan = mason.building
    canvas = mason.canvas(width, height, plan.palette.wall)
    bay = width / spans
    pale, dark = mix(plan.palette.trim, (255, 255, 255), 0.1), mix(plan.palette.wall, (60, 50, 45), 0.35)
    for number in range(spans):
        x, rise = (number + 0.5) * bay, min(height * 0.84, bay * 1.9)
        canvas.polygon(opening(plan.portal, x, 0, bay * 0.9, rise + bay * 0.09), pale)
        canvas.line(opening(plan.portal, x, 0, bay * 0.83, rise + bay * 0.04), dark, bay * 0.03)
        canvas.cut(opening(plan.portal, x, -0.1, bay * 0.76, rise + 0.1))
        if plan.rose:
            canvas.disc(number * bay, height * 0.8, bay * 0.08, dark)
    return canvas
