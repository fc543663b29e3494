"""The round parts of buildings: towers, domes, spires, columns."""

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade, draw_facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import Colour, mix
from landmark_zoo.data.synthetic.panel import Panel, sprite
from landmark_zoo.data.synthetic.solids import round_body


def round_tower(mason: Mason, x: float, z: float, radius: float, base: float, height: float,
                facade: Facade, shape: str = "tower") -> Panel:
    """Returns a round tower with a facade wrapped round it."""
    width = np.pi * radius
    bare = mason.canvas(width, height, mason.building.palette.wall).pixels[..., :3]
    canvas = draw_facade(mason.building, facade, width, height, mason.density, bare, mason.rng)
    return round_body(canvas, shape, x, z, base)


def dome(mason: Mason, x: float, z: float, radius: float, base: float, height: float, colour: Colour | None = None,
         shape: str | None = None) -> list[Panel]:
    """Returns a ribbed dome with a lantern or a finial; of the roof's colour and the building's shape if None."""
    palette = mason.building.palette
    canvas = mason.canvas(np.pi * radius, height, colour or palette.roof)
    rib = mix(colour or palette.roof, (30, 28, 30), 0.35)
    for number in range(1, 8):
        canvas.line([(canvas.width * number / 8, 0), (canvas.width * number / 8, height)], rib, 0.05 * radius)
    canvas.rectangle(0, 0, canvas.width, 0.07 * height, palette.trim)
    panels = [round_body(canvas, shape or mason.building.dome, x, z, base)]
    lantern = mason.canvas(np.pi * radius * 0.14, height * 0.42, palette.metal)
    panels.append(round_body(lantern, "lantern", x, z, base + height * 0.94))
    return panels


def spire(mason: Mason, x: float, z: float, radius: float, base: float, height: float,
          colour: Colour | None = None) -> list[Panel]:
    """Returns the building's kind of spire with a ball on top; nothing where that is "flat"."""
    kind = mason.building.spire
    if kind == "flat":
        return []
    colour = colour or mason.building.palette.roof
    canvas = mason.canvas(np.pi * radius, height, colour, roof=True)
    for number in range(1, 4):
        canvas.line([(canvas.width * number / 4, 0), (canvas.width * number / 4, height)],
                    mix(colour, (250, 245, 235), 0.25), 0.06 * radius)
    ball = mason.canvas(np.pi * radius * 0.12, radius * 0.6, mason.building.palette.metal)
    return [round_body(canvas, kind, x, z, base), round_body(ball, "onion", x, z, base + height * 0.97)]


def column(mason: Mason, radius: float, height: float, colour: Colour | None = None, flutes: int = 7) -> Panel:
    """Returns a column at the origin; move it to where it stands."""
    canvas = mason.canvas(np.pi * radius, height, colour or mason.building.palette.trim)
    for number in range(flutes):
        x = canvas.width * (number + 0.5) / flutes
        canvas.shade(x, 0.07 * height, canvas.width * 0.3 / flutes, 0.82 * height, 0.8, 0.8)
    return round_body(canvas, "column", 0, 0, 0)


def flag(mason: Mason, x: float, z: float, base: float, height: float) -> Panel:
    """Returns a pole with a flag of two colours of the building."""
    canvas = Canvas(height * 0.6, height, mason.density)
    palette = mason.building.palette
    canvas.line([(height * 0.3, 0), (height * 0.3, height)], (70, 66, 62), height * 0.03)
    for number, colour in enumerate((palette.metal, palette.door, palette.roof)):
        y = height * (0.97 - 0.12 * number)
        canvas.polygon([(height * 0.31, y), (height * 0.45, y - 0.04 * height), (height * 0.59, y),
                        (height * 0.59, y - 0.12 * height), (height * 0.45, y - 0.16 * height),
                        (height * 0.31, y - 0.12 * height)], colour)
    return sprite(canvas.texture(), x, z, base, height * 0.6, height, lift=0.1)
