"""The surroundings of a landmark: ground, rows of houses or trees round about, hills."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.ground import Ground, draw_ground
from landmark_zoo.data.synthetic.houses import terrace
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.sky import draw_hills
from landmark_zoo.data.synthetic.stock import Stock

SETTINGS = ("square", "avenue", "park", "plain", "waterfront")
_SIDES = 8


@dataclass(frozen=True)
class Street:
    """Where a landmark stands.

    Attributes:
        ground: What lies underfoot.
        panels: What stands round about.
        hills: float [2, N], see `draw_hills`.
        radius: Metres from the middle to what stands round about.
    """

    ground: Ground
    panels: list[Panel]
    hills: np.ndarray
    radius: float


def draw_street(rng: np.random.Generator, stock: Stock, radius: float, setting: str) -> Street:
    """Draws surroundings.

    Args:
        rng: Source of chance.
        stock: Houses and trees to choose from.
        radius: Metres from the middle to the first houses.
        setting: One of `SETTINGS`.
    """
    grounds = {"square": ("paving", "cobbles", "asphalt"), "avenue": ("asphalt", "cobbles"), "park": ("lawn", "sand"),
               "plain": ("lawn", "sand"), "waterfront": ("water", "water", "paving")}[setting]
    ground = draw_ground(rng, str(rng.choice(grounds)), 2.6 * radius)
    hills = draw_hills(rng, str(rng.choice({"square": ("none", "town", "hills"), "avenue": ("town", "none"),
                                            "park": ("hills", "town"), "plain": ("hills", "mountains"),
                                            "waterfront": ("hills", "mountains", "town")}[setting])))
    panels: list[Panel] = []
    for side in range(_SIDES):
        angle = 2 * np.pi * (side + 0.5) / _SIDES + float(rng.uniform(-0.1, 0.1))
        out = radius * float(rng.uniform(1.05, 1.5))
        built = {"square": 0.8, "avenue": 0.9, "park": 0.15, "plain": 0.05, "waterfront": 0.4}[setting]
        if rng.random() < built:
            panels.append(_row(rng, stock, out).rotated(angle))
        if rng.random() < {"park": 0.95, "plain": 0.4}.get(setting, 0.35):
            panels += _trees(rng, stock, out * 0.95, angle)
    return Street(ground, panels, hills, radius)


def _row(rng: np.random.Generator, stock: Stock, out: float) -> Panel:
    """Returns a row of houses behind the middle, its fronts towards it."""
    wanted, picks = out * 0.8, []
    while wanted > 0 and len(picks) < 9:
        picks.append(int(rng.integers(len(stock.houses))))
        wanted -= stock.houses[picks[-1]].width
    row = terrace(stock.houses, np.array(picks))
    return Panel(row.texture(), (-row.width / 2, row.height, -out), (row.width, 0, 0), (0, -row.height, 0))


def _trees(rng: np.random.Generator, stock: Stock, out: float, angle: float) -> list[Panel]:
    """Returns a loose row of trees on the side of the circle that `_row` builds on."""
    panels = []
    for place in np.linspace(-0.38, 0.38, int(rng.integers(2, 6))):
        turn = angle + np.pi + place
        panels.append(stock.stand(rng, "tree", float(out * np.sin(turn)), float(out * np.cos(turn))))
    return panels
