"""A mosque: a great dome, an iwan, minarets."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import dome, round_tower
from landmark_zoo.data.synthetic.solids import block, round_body


def mosque(mason: Mason) -> list[Panel]:
    """Returns the panels of a mosque."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    width, height = (58 + 16 * rng.random()) * u, (20 + 12 * plan.slender) * u
    shape = plan.window if plan.window != "square" else "ogee"
    walls = Facade(storeys=2, bays=plan.bays, window=shape, tall=0.7)
    panels = block(mason, 0, -width / 2, width, width, 0, height, walls)
    iwan = Facade(portals=1, crown="none" if plan.crown == "cornice" else None)
    panels += block(mason, 0, -1 * u, width * 0.3, 6 * u, 0, height * (1.15 + 0.25 * rng.random()), iwan)
    radius = (13 + 6 * rng.random()) * u
    colour = plan.palette.roof
    panels.append(round_tower(mason, 0, -width / 2, radius, height - u, 8 * u,
                              Facade(storeys=1, bays=9, window=shape, tall=0.7, crown="none"), "shaft"))
    bulb = plan.dome if plan.dome != "melon" else "pointed"
    panels += dome(mason, 0, -width / 2, radius * 1.05, height + 6.5 * u, radius * (0.9 + 0.5 * rng.random()), colour,
                   bulb)
    for place in (-1, 1):
        for z in (-0.2 * width, -0.8 * width):
            panels += dome(mason, place * width * 0.34, z, radius * 0.42, height - u, radius * 0.45, colour, bulb)
    tall, thick = (62 + 34 * rng.random()) * u, (2.6 + 1.2 * rng.random()) * u
    minaret = _minaret(mason, thick, tall)
    out = width * (0.5 + 0.16 * rng.random())
    places = [(-1, 0), (1, 0), (-1, -1), (1, -1)][:2 if plan.towers < 3 else 4] if plan.towers > 1 else [(1, 0)]
    panels += [minaret.moved(x * out, z * width - thick) for x, z in places]
    return panels


def _minaret(mason: Mason, radius: float, height: float) -> Panel:
    palette = mason.building.palette
    canvas = mason.canvas(3.1416 * radius, height, palette.wall)
    for share, colour in ((0.31, palette.trim), (0.63, palette.trim), (0.83, palette.trim), (0.0, palette.trim)):
        canvas.rectangle(0, share * height, canvas.width, 0.04 * height, colour)
    canvas.rectangle(0, 0.86 * height, canvas.width, 0.14 * height, palette.roof)
    for row in (0.18, 0.5, 0.75):
        canvas.rectangle(canvas.width * 0.46, row * height, canvas.width * 0.08, 0.04 * height, (44, 38, 38), 220)
    if mason.building.stripes:
        for number in range(12):
            canvas.shade(0, number * height / 14, canvas.width, height / 28, 0.78, 0.78)
    return round_body(canvas, "minaret", 0, 0, 0)
