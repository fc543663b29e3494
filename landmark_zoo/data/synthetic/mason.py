"""Prepares the surfaces of one building."""

import numpy as np

from landmark_zoo.data.synthetic.building import Building
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.facade import Facade, draw_facade
from landmark_zoo.data.synthetic.masonry import masonry, roofing
from landmark_zoo.data.synthetic.palette import Colour
from landmark_zoo.data.synthetic.texture import Texture

_TILE = 256


class Mason:
    """Draws textures in a building's materials; equal ones are drawn once.

    Attributes:
        building: What is built.
        density: Pixels per metre of every texture.
        unit: A hundredth of the building's size, metres.
        rng: For proportions, seeded by the building.

    Args:
        building: What is built.
        pixels: Pixels for the building's greatest extent.
    """

    def __init__(self, building: Building, pixels: int):
        self.building, self.density, self.unit = building, pixels / building.size, building.size / 100
        self.rng = np.random.default_rng(building.seed)
        self._made: dict[tuple, Canvas | Texture | np.ndarray] = {}

    def canvas(self, width: float, height: float, colour: Colour, roof: bool = False) -> Canvas:
        """Returns a surface covered with the building's stone (or its roofing) in a colour."""
        return Canvas(width, height, self.density, self._paint(width, height, colour, roof))

    def wall(self, facade: Facade, width: float, height: float) -> Texture:
        """Returns a wall of the building, see `draw_facade`."""
        key = (facade, round(width, 3), round(height, 3))
        if key not in self._made:
            paint = self._paint(width, height, self.building.palette.wall, False)
            canvas = draw_facade(self.building, facade, width, height, self.density, paint, self.rng)
            self._made[key] = canvas.texture()
        return self._made[key]

    def plain(self, width: float, height: float, colour: Colour | None = None, roof: bool = False) -> Texture:
        """Returns a bare surface, of the wall's colour if None."""
        colour = colour or self.building.palette.wall
        key = (colour, roof, round(width, 3), round(height, 3))
        if key not in self._made:
            self._made[key] = self.canvas(width, height, colour, roof).texture()
        return self._made[key]

    def trapezium(self, width: float, top: float, height: float, colour: Colour | None = None,
                  roof: bool = True) -> Texture:
        """Returns a surface `width` wide at its foot (or its head) and `top` at its head."""
        widest = max(width, top)
        canvas = self.canvas(widest, height, colour or self.building.palette.roof, roof)
        low, high = (widest - width) / 2, (widest - top) / 2
        for side in (0, 1):
            edge = np.array([(-1, -1), (low, 0), (high, height), (-1, height + 1)]) - [0.001, 0]
            canvas.cut(edge if side == 0 else np.stack([widest - edge[:, 0], edge[:, 1]], 1))
        return canvas.texture()

    def _paint(self, width: float, height: float, colour: Colour, roof: bool) -> np.ndarray:
        key = ("paint", colour, roof)
        if key not in self._made:
            self._made[key] = (roofing(self.rng, colour, _TILE, self.density * self.unit) if roof else
                               masonry(self.rng, self.building.material, colour, _TILE, self.density * self.unit))
        rows, columns = round(height * self.density) + 2, round(width * self.density) + 2
        return np.tile(self._made[key], (rows // _TILE + 1, columns // _TILE + 1, 1))
