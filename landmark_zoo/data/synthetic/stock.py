"""What is drawn once and stands about in every scene."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.houses import draw_house
from landmark_zoo.data.synthetic.panel import Panel, sprite
from landmark_zoo.data.synthetic.people import draw_person
from landmark_zoo.data.synthetic.plants import TREES, draw_tree
from landmark_zoo.data.synthetic.texture import Texture
from landmark_zoo.data.synthetic.vehicles import draw_bus, draw_car, draw_lamp, draw_parasol

_COUNTS = {"tree": 3, "person": 18, "car": 7, "bus": 2, "lamp": 3, "parasol": 3}
_SIZES = {"car": (4.4, 1.5), "bus": (10.0, 3.0), "lamp": (2.0, 6.0), "parasol": (3.0, 2.6)}


@dataclass(frozen=True)
class Stock:
    """Houses and things; the same for every landmark, so that none is known by its company.

    Attributes:
        houses: Fronts of houses.
        things: Textures by kind: "tree", "person", "car", "bus", "lamp", "parasol".
    """

    houses: list[Canvas]
    things: dict[str, list[Texture]]

    def stand(self, rng: np.random.Generator, kind: str, x: float, z: float, tall: float | None = None) -> Panel:
        """Returns a thing of a kind that stands at (x, z); `tall` metres for trees, their own size if None."""
        texture = self.things[kind][rng.integers(len(self.things[kind]))]
        if kind == "tree":
            tall = tall or float(rng.uniform(6, 13))
            width = tall
        elif kind == "person":
            tall = float(rng.uniform(1.55, 1.9))
            width = 0.56 * tall
        else:
            width, tall = _SIZES[kind]
        return sprite(texture, x, z, 0, width, tall, lift=0.0)


@lru_cache(maxsize=2)
def draw_stock(seed: int) -> Stock:
    """Draws the stock of a collection; kept for the next call in the same process."""
    rng = np.random.default_rng([seed, 3])
    trees = [draw_tree(rng, kind) for kind in TREES for _ in range(_COUNTS["tree"])]
    draw = {"person": draw_person, "car": draw_car, "bus": draw_bus, "lamp": draw_lamp, "parasol": draw_parasol}
    things = {kind: [function(rng) for _ in range(_COUNTS[kind])] for kind, function in draw.items()}
    return Stock([draw_house(rng) for _ in range(22)], {"tree": trees, **things})
