"""Anonymous houses: what stands beside landmarks, and in streets without one."""

from dataclasses import replace

import numpy as np

from landmark_zoo.data.synthetic.building import draw_building
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade, draw_facade
from landmark_zoo.data.synthetic.masonry import masonry, roofing

_DENSITY = 9.0
_TILE = 256


def draw_house(rng: np.random.Generator) -> Canvas:
    """Draws the front of a house with its roof, 9 px per metre."""
    width, storeys = float(rng.uniform(8, 18)), int(rng.integers(2, 6))
    height = storeys * float(rng.uniform(3.0, 3.7)) + 1.0
    house = draw_building(rng, "house", (28, 42))
    house = replace(house, crown="cornice", pilasters=house.pilasters and width > 13, stripes=False)
    paint = np.tile(masonry(rng, house.material, house.palette.wall, _TILE, _DENSITY), (2, 2, 1))
    facade = Facade(storeys=storeys, bays=max(round(width / 3.2), 2), portals=1, tall=0.55,
                    arcade=bool(rng.random() < 0.25), window=house.window if rng.random() < 0.3 else "square")
    wall = draw_facade(house, facade, width, height, _DENSITY, paint, rng)
    kind = rng.choice(("flat", "gable", "hip"), p=(0.3, 0.25, 0.45))
    rise = 0.0 if kind == "flat" else float(rng.uniform(0.25, 0.5)) * min(width, 12)
    canvas = Canvas(width, height + rise, _DENSITY)
    if kind != "flat":
        tiles = np.tile(roofing(rng, house.palette.roof, _TILE, _DENSITY), (2, 2, 1))
        roof = Canvas(width, rise, _DENSITY, tiles)
        inset = width / 2 if kind == "gable" else min(rise * 0.7, width / 3)
        roof.cut([(0, 0), (0, rise + 1), (inset, rise + 1), (inset, rise)])
        roof.cut([(width, 0), (width, rise + 1), (width - inset, rise + 1), (width - inset, rise)])
        canvas.stamp(roof, 0, height)
        x = width * float(rng.uniform(0.3, 0.62))
        canvas.rectangle(x, height + rise * 0.3, 0.9, rise * 0.68, (136, 84, 68))
    canvas.stamp(wall, 0, 0)
    return canvas


def terrace(houses: list[Canvas], picks: np.ndarray) -> Canvas:
    """Joins houses, chosen by their numbers, to a row."""
    chosen = [houses[pick] for pick in picks]
    row = Canvas(sum(house.width for house in chosen), max(house.height for house in chosen), _DENSITY)
    x = 0.0
    for house in chosen:
        row.stamp(house, x, 0)
        x += house.width
    return row
