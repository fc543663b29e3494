"""Solids made of panels: blocks, roofs, prisms, and round bodies."""

from dataclasses import replace

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel, sprite
from landmark_zoo.data.synthetic.texture import Texture
from landmark_zoo.data.synthetic.turning import OUTLINES, turn

BLIND = Facade(crown="none", dressed=False)
_QUARTERS = (0.0, np.pi / 2, np.pi, -np.pi / 2)


def upright(texture: Texture, width: float, out: float, base: float, height: float, lean: float = 0.0,
            closed: bool = True) -> Panel:
    """Returns a panel towards the front at z = `out`, whose head leans back by `lean` metres."""
    return Panel(texture, (-width / 2, base + height, out - lean), (width, 0, 0), (0, -height, lean), closed)


def placed(panels: list[Panel], x: float, z: float) -> list[Panel]:
    """Returns panels moved by (x, z)."""
    return [panel.moved(x, z) for panel in panels]


def turned_by(panels: list[Panel], angle: float) -> list[Panel]:
    """Returns panels turned about the origin."""
    return [panel.rotated(angle) for panel in panels]


def block(mason: Mason, x: float, z: float, width: float, depth: float, base: float, height: float,
          front: Facade = BLIND, side: Facade | None = None, closed: bool = True) -> list[Panel]:
    """Returns a box with its middle at (x, z): `front` also serves for the back, `side` for both sides."""
    faces = []
    for number, angle in enumerate(_QUARTERS):
        span, out = (depth, width / 2) if number % 2 else (width, depth / 2)
        facade = (side or front) if number % 2 else front
        faces.append(upright(mason.wall(facade, span, height), span, out, base, height, closed=closed).rotated(angle))
    crown = front.crown or mason.building.crown
    sunk = 0.0 if crown in ("cornice", "none") else min(2.6 * mason.unit, 0.2 * height) * 0.9
    roof = mason.plain(width, depth, mix(mason.building.palette.wall, (80, 78, 76), 0.3))
    faces.append(Panel(roof, (-width / 2, base + height - sunk, -depth / 2), (width, 0, 0), (0, 0, depth)))
    return placed(faces, x, z) + ([soffit(mason, x, z, width, depth, base)] if base else [])


def soffit(mason: Mason, x: float, z: float, width: float, depth: float, base: float) -> Panel:
    """Returns the shaded underside of what juts out at height `base`."""
    texture = mason.plain(width, depth, mix(mason.building.palette.wall, (50, 44, 42), 0.55))
    return Panel(texture, (x - width / 2, base, z + depth / 2), (width, 0, 0), (0, 0, -depth))


def steps(mason: Mason, x: float, z: float, width: float, depth: float, height: float, count: int) -> list[Panel]:
    """Returns `count` plain steps, the lowest `width` x `depth`."""
    panels = []
    for number in range(count):
        shrink = 1 - 0.06 * number
        panels += block(mason, x, z, width * shrink, depth - width * 0.06 * number, number * height / count,
                        height / count)
    return panels


def gable_roof(mason: Mason, x: float, z: float, width: float, depth: float, base: float, rise: float,
               along: str = "z", oculus: bool = False) -> list[Panel]:
    """Returns a pitched roof over `width` x `depth`; its ridge runs along "z" (gable to the front) or "x"."""
    if along == "x":
        return placed(turned_by(gable_roof(mason, 0, 0, depth, width, base, rise, oculus=oculus), np.pi / 2), x, z)
    slope = float(np.hypot(width / 2, rise))
    roof = mason.plain(depth, slope, mason.building.palette.roof, roof=True)
    gable = _gable(mason, width, rise, oculus)
    panels = [Panel(roof, (0, base + rise, depth / 2), (0, 0, -depth), (width / 2, -rise, 0)),
              Panel(roof, (0, base + rise, -depth / 2), (0, 0, depth), (-width / 2, -rise, 0))]
    panels += [upright(gable, width, depth / 2, base, rise).rotated(angle) for angle in (0.0, np.pi)]
    return placed(panels, x, z)


def hip_roof(mason: Mason, x: float, z: float, width: float, depth: float, base: float, rise: float,
             top: float = 0.0, colour: Colour | None = None, roof: bool = True) -> list[Panel]:
    """Returns four slopes over `width` x `depth` that narrow to `top` (share) of it: a pyramid where that is 0."""
    panels = []
    for number, angle in enumerate(_QUARTERS):
        span, out = (depth, width / 2) if number % 2 else (width, depth / 2)
        length = float(np.hypot(rise, out * (1 - top)))
        texture = mason.trapezium(span, span * top, length, colour, roof)
        panels.append(upright(texture, span, out, base, rise, out * (1 - top)).rotated(angle))
    if top:
        flat = mason.plain(width * top, depth * top, mix(mason.building.palette.roof, (90, 88, 86), 0.4))
        panels.append(Panel(flat, (-width * top / 2, base + rise, -depth * top / 2), (width * top, 0, 0),
                            (0, 0, depth * top)))
    return placed(panels, x, z)


def prism(texture: Texture, x: float, z: float, sides: int, width: float, base: float, height: float,
          stretch: float = 1.0, closed: bool = True) -> list[Panel]:
    """Returns `sides` equal upright faces of breadth `width` round (x, z), stretched along x by `stretch`."""
    out = width / 2 / np.tan(np.pi / sides)
    faces = [upright(texture, width, out, base, height, closed=closed).rotated(2 * np.pi * number / sides)
             for number in range(sides)]

    def wide(vector: tuple[float, float, float]) -> tuple[float, float, float]:
        return (vector[0] * stretch, vector[1], vector[2])

    faces = [replace(face, origin=wide(face.origin), across=wide(face.across)) for face in faces]
    return placed(faces, x, z)


def round_body(canvas: Canvas, shape: str, x: float, z: float, base: float) -> Panel:
    """Returns a body of revolution.

    Args:
        canvas: Its half unrolled, see `turn`.
        shape: Key of `OUTLINES`.
        x, z: Its axis.
        base: Height of its foot.
    """
    radius = canvas.width / np.pi
    greatest = max(share for _, share in OUTLINES[shape])
    return sprite(turn(canvas, OUTLINES[shape]), x, z, base, 2 * radius * greatest, canvas.height, lift=radius)


def _gable(mason: Mason, width: float, rise: float, oculus: bool) -> Texture:
    palette = mason.building.palette
    canvas = mason.canvas(width, rise, palette.wall)
    edge = max(1.2 * mason.unit, width * 0.03)
    if oculus:
        canvas.disc(width / 2, rise * 0.36, rise * 0.2, palette.trim)
        canvas.disc(width / 2, rise * 0.36, rise * 0.14, palette.glass, 180)
    for side in (0.0, width):
        canvas.line([(side, 0), (width / 2, rise)], palette.trim, 2 * edge)
        canvas.cut([(side, 0), (side, rise + 1), (width / 2, rise + 1), (width / 2, rise)])
    canvas.rectangle(0, 0, width, edge, palette.trim)
    canvas.shade(0, 0, width, rise, 0.9, 1.0)
    return canvas.texture()
