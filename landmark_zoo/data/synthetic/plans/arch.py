"""A triumphal arch, with one opening or three."""

import itertools

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade, draw_facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans.statue import statue
from landmark_zoo.data.synthetic.roundwork import column
from landmark_zoo.data.synthetic.solids import BLIND, block, upright


def arch(mason: Mason) -> list[Panel]:
    """Returns the panels of a triumphal arch."""
    plan, u = mason.building, mason.unit
    width, depth, height = (86 - 26 * plan.slender) * u, (18 + 10 * plan.slender) * u, (66 + 22 * plan.slender) * u
    shape = plan.portal
    spans = [(0.0, 0.34 * width, 0.62 * height)]
    if plan.towers > 2:
        spans += [(place * 0.33 * width, 0.16 * width, 0.38 * height) for place in (-1, 1)]
    face = _face(mason, width, height, spans, shape)
    front = upright(face.texture(), width, 0, 0, height, closed=False)
    panels = [front, Panel(front.texture, (width / 2, height, -depth), (-width, 0, 0), (0, -height, 0), closed=False)]
    panels += block(mason, 0, -depth / 2, width * 0.999, depth, 0, height, BLIND)[1::2]
    panels += block(mason, 0, -depth / 2, width * 1.05, depth * 1.2, height, 0.05 * height, BLIND)
    attic = Facade(storeys=1, bays=plan.bays // 2, tall=0.4) if plan.quoins else Facade()
    panels += block(mason, 0, -depth / 2, width * 0.96, depth * 0.94, 1.05 * height, 0.13 * height, attic)
    for x, span, rise in spans:
        panels += _tunnel(mason, x, span, rise, depth, shape)
    if plan.pilasters or plan.towers == 2:
        shaft = column(mason, 0.028 * width, 0.72 * height)
        places = (-0.46, -0.22, 0.22, 0.46)
        panels += [shaft.moved(x * width, 0.03 * width) for x in places]
        panels += [panel for x in places for panel in
                   block(mason, x * width, 0.02 * width, 0.07 * width, 0.06 * width, 0.72 * height, 0.28 * height)]
    if plan.seed % 3 == 0:
        panels.append(statue(mason, 0, -depth / 2, 1.18 * height, 0.26 * height, "rider"))
    return panels


def _face(mason: Mason, width: float, height: float, spans: list[tuple[float, float, float]], shape: str) -> Canvas:
    paint = mason.canvas(width, height, mason.building.palette.wall).pixels[..., :3]
    face = draw_facade(mason.building, Facade(crown="cornice"), width, height, mason.density, paint, mason.rng)
    pale = mix(mason.building.palette.trim, (255, 255, 255), 0.1)
    for x, span, rise in spans:
        middle = width / 2 + x
        face.polygon(opening(shape, middle, 0, span * 1.22, rise + span * 0.11), pale)
        face.polygon(opening(shape, middle, 0, span * 1.12, rise + span * 0.05), mix(pale, (60, 50, 45), 0.3))
        face.cut(opening(shape, middle, -0.1, span, rise + 0.1))
        if rise < 0.5 * height:
            face.rectangle(middle - span * 0.6, 0.5 * height, span * 1.2, 0.2 * height, mix(pale, (60, 50, 45), 0.2))
            face.disc(middle, 0.6 * height, span * 0.32, pale)
    face.rectangle(0, 0.7 * height, width, 0.025 * height, pale)
    face.shade(0, 0.66 * height, width, 0.04 * height, 0.68, 1.0)
    _reliefs(face, mason, width, height, pale)
    return face


def _reliefs(face: Canvas, mason: Mason, width: float, height: float, pale: Colour) -> None:
    """Draws carved panels, medallions or a frieze, as the building has them."""
    plan = mason.building
    carved = mix(pale, (60, 50, 45), 0.35)
    for x in (0.22 * width, 0.78 * width):
        if plan.rose:
            face.disc(x, 0.8 * height, 0.055 * width, pale)
            face.disc(x, 0.8 * height, 0.042 * width, carved)
        else:
            face.rectangle(x - 0.1 * width, 0.76 * height, 0.2 * width, 0.11 * height, carved)
            for number in range(5):
                face.disc(x + (number - 2) * 0.038 * width, 0.82 * height, 0.015 * width, pale)
    if plan.clock or plan.flags:
        face.rectangle(0.36 * width, 0.77 * height, 0.28 * width, 0.11 * height, plan.palette.trim)
        for row in range(3):
            face.rectangle(0.38 * width, (0.785 + 0.03 * row) * height, 0.24 * width, 0.012 * height, carved)
    else:
        for number in range(9):
            face.rectangle((0.36 + 0.032 * number) * width, 0.77 * height, 0.018 * width, 0.1 * height, carved)


def _tunnel(mason: Mason, x: float, span: float, rise: float, depth: float, shape: str) -> list[Panel]:
    """Returns the inside of an opening, a panel for each edge of its outline."""
    outline = opening(shape, x, 0, span, rise)
    outline = outline[[0, *range(1, len(outline) - 1, 2), len(outline) - 1]]
    dark = mix(mason.building.palette.wall, (50, 42, 38), 0.4)
    panels = []
    for (x0, y0), (x1, y1) in itertools.pairwise(outline):
        length = max(float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5), 0.05)
        texture = mason.plain(depth, length, dark)
        panels.append(Panel(texture, (x1, y1, 0), (0, 0, -depth), (x0 - x1, y0 - y1, 0), closed=False))
    return panels
