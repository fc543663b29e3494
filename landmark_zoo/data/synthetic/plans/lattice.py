"""A lattice tower of iron, in three or four tiers."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, round_body, upright
from landmark_zoo.data.synthetic.texture import Texture

_QUARTERS = (0, np.pi / 2, np.pi, -np.pi / 2)


def lattice(mason: Mason) -> list[Panel]:
    """Returns the panels of a lattice tower."""
    plan, u = mason.building, mason.unit
    iron = mix(mix(plan.palette.metal, plan.palette.roof, 0.5), (70, 60, 54), 0.35)
    tiers = 3 + plan.towers % 2
    width, low, total = (34 + 18 * (1 - plan.slender)) * u, 4 * u, 88 * u
    shares = np.array((0.24, 0.2, 0.3, 0.26)[:tiers])
    shares = shares / shares.sum()
    panels = []
    for x in (-1, 1):
        for z in (-1, 1):
            panels += block(mason, x * width * 0.38, z * width * 0.38, width * 0.3, width * 0.3, 0, low)
    for tier, share in enumerate(shares):
        height = total * share * 0.9
        narrow = (0.52, 0.5, 0.4, 0.3)[tier] if tier < tiers - 1 else 0.16
        lean = width * (1 - narrow) / 2
        length = float(np.hypot(height, lean))
        texture = _face(mason, width, width * narrow, length, iron, arched=tier == 0, rows=3 + 2 * tier)
        side = upright(texture, width, width / 2, low, height, lean, closed=False)
        panels += [side.rotated(angle) for angle in _QUARTERS]
        low += height
        width *= narrow
        if tier < tiers - 1:
            broad = width * 1.35
            edge = upright(mason.plain(broad, 2 * u, iron), broad, broad / 2, low, 2 * u)
            panels += [edge.rotated(angle) for angle in _QUARTERS]
            low += 1.6 * u
    mast = mason.canvas(3.1416 * max(width, u) * 0.6, 12 * u, iron)
    panels.append(round_body(mast, "lantern", 0, 0, low - u))
    return panels


def _face(mason: Mason, width: float, top: float, height: float, iron: Colour, arched: bool,
          rows: int) -> Texture:
    """Draws one side of a tier: braced legs, in the lowest tier over a great arch."""
    canvas = Canvas(width, height, mason.density)
    middle, leg = width / 2, 0.11 * width
    light = mix(iron, (255, 240, 220), 0.18)

    def half(y: float) -> float:
        return (width + (top - width) * y / height) / 2

    if arched:
        span = [(middle + half(0) * 0.62 * np.cos(a), height * 0.62 * np.sin(a)) for a in np.linspace(0, np.pi, 19)]
        canvas.line(span, light, 0.035 * width)
        canvas.line([(middle - half(0), 0), (middle - half(0) * 0.5, 0)], iron, 0.03 * width)
    for row in range(rows):
        y0, y1 = height * row / rows, height * (row + 1) / rows
        for side in (-1, 1):
            inner0, inner1 = half(y0) - 2.2 * leg * half(y0) / half(0), half(y1) - 2.2 * leg * half(y1) / half(0)
            if arched and y1 < 0.7 * height:
                ends = ((middle + side * half(y0), y0), (middle + side * inner0, y0), (middle + side * half(y1), y1),
                        (middle + side * inner1, y1))
                canvas.line([ends[0], ends[3]], iron, 0.3 * leg)
                canvas.line([ends[1], ends[2]], iron, 0.3 * leg)
                canvas.line([ends[1], ends[3]], iron, 0.4 * leg)
            else:
                canvas.line([(middle + side * half(y0), y0), (middle - side * half(y1), y1)], iron, 0.26 * leg)
                canvas.line([(middle - half(y1), y1), (middle + half(y1), y1)], light, 0.3 * leg)
    for side in (-1, 1):
        ends = [(middle + side * half(0) * 0.97, 0), (middle + side * half(height) * 0.97, height)]
        canvas.line(ends, iron, 0.6 * leg)
    canvas.lights[canvas.pixels[..., 3] > 127] = 90
    return canvas.texture()
