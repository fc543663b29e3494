"""A modern tower of glass: one shaft, set-backs or a pair."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, hip_roof, prism, round_body, turned_by, upright
from landmark_zoo.data.synthetic.texture import Texture


def skyscraper(mason: Mason) -> list[Panel]:
    """Returns the panels of a modern tower."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    tall, broad = (74 + 18 * plan.slender) * u, (20 + 14 * (1 - plan.slender)) * u
    panels = block(mason, 0, 0, broad * 2, broad * 1.6, 0, 7 * u, Facade(storeys=2, bays=2 * plan.bays, portals=1))
    style = plan.seed % 5
    if style == 0:
        low = 7 * u
        for level, share in enumerate((0.45, 0.25, 0.18, 0.12)):
            side = broad * (1 - 0.2 * level)
            panels += prism(_curtain(mason, side, tall * share), 0, 0, 4, side, low, tall * share)
            low += tall * share
            panels += _lid(mason, side, low)
    elif style == 1:
        for place in (-1, 1):
            panels += prism(_curtain(mason, broad * 0.7, tall), place * broad * 0.62, 0, 4, broad * 0.7, 7 * u, tall)
        panels += block(mason, 0, 0, broad, broad * 0.2, 7 * u + tall * 0.55, 5 * u)
        panels += [roof for place in (-1, 1) for roof in
                   hip_roof(mason, place * broad * 0.62, 0, broad * 0.7, broad * 0.7, 7 * u + tall, 9 * u)]
    elif style == 2:
        slices, twist = 12, 1.2 * rng.random() + 0.4
        faces = _curtain(mason, broad, tall / slices)
        for number in range(slices):
            part = prism(faces, 0, 0, 4, broad, 7 * u + number * tall / slices, tall / slices)
            panels += turned_by(part, twist * number / slices)
        panels += turned_by(_lid(mason, broad, 7 * u + tall), twist)
    elif style == 3:
        narrow = 0.25 + 0.4 * rng.random()
        face = _curtain(mason, broad * 1.2, tall, narrow)
        out = broad * 0.6
        side = upright(face, broad * 1.2, out, 7 * u, tall, out * (1 - narrow))
        panels += [side.rotated(angle) for angle in (0, np.pi / 2, np.pi, -np.pi / 2)]
    else:
        panels += prism(_curtain(mason, broad * 0.42, tall), 0, 0, 8, broad * 0.42, 7 * u, tall)
        panels += _lid(mason, broad * 0.7, 7 * u + tall)
    if style != 1 and (plan.flags or style in (0, 3)):
        mast = mason.canvas(3.1416 * 0.8 * u, 17 * u, plan.palette.metal)
        panels.append(round_body(mast, "needle", 0, 0, 6 * u + tall))
    return panels


def _lid(mason: Mason, side: float, height: float) -> list[Panel]:
    roof = mason.plain(side, side, (120, 122, 126))
    return [Panel(roof, (-side / 2, height, -side / 2), (side, 0, 0), (0, 0, side))]


def _curtain(mason: Mason, width: float, height: float, narrow: float = 1.0) -> Texture:
    """Draws tinted cells in a grid of mullions; `narrow` is the wall's breadth at its head by that at its foot."""
    plan, rng, u = mason.building, mason.rng, mason.unit
    tint = mix(plan.palette.glass, ((84, 134, 186), (96, 146, 134), (200, 156, 92), (62, 72, 92))[plan.bays % 4], 0.6)
    rows, columns = max(round(height / (2.6 * u)), 1), max(round(width / (2.2 * u)), 3)
    tone = 1 + 0.09 * rng.standard_normal((rows, columns)) + np.linspace(0.22, -0.12, rows)[:, None]
    pixel_rows, pixel_columns = max(2, round(height * mason.density)), max(2, round(width * mason.density))
    row = np.minimum(np.arange(pixel_rows) * rows // pixel_rows, rows - 1)
    column = np.minimum(np.arange(pixel_columns) * columns // pixel_columns, columns - 1)
    paint = np.clip(tone[row][:, column, None] * np.array(tint), 0, 255).astype(np.uint8)
    canvas = Canvas(width, height, mason.density, paint)
    canvas.lights[:] = (rng.random((rows, columns)) < 0.42)[row][:, column] * 215
    frame = mix(plan.palette.trim, (70, 74, 80), 0.4)
    for number in range(rows + 1):
        canvas.line([(0, height * number / rows), (width, height * number / rows)], frame, 0.5 * u)
    for number in range(0, columns + 1, 1 + plan.towers % 3):
        canvas.line([(width * number / columns, 0), (width * number / columns, height)], frame, 0.4 * u)
    if plan.stripes:
        for share in (0.3, 0.6, 0.9):
            canvas.rectangle(0, share * height, width, 1.6 * u, plan.palette.roof)
    if narrow < 1:
        edge = width * (1 - narrow) / 2
        canvas.cut([(-1, 0), (0, 0), (edge, height + 0.1), (-1, height + 1)])
        canvas.cut([(width + 1, 0), (width, 0), (width - edge, height + 0.1), (width + 1, height + 1)])
    return canvas.texture()
