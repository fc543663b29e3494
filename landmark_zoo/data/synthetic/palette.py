"""Colours a building is made of."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

_WALLS: dict[str, Colour] = {
    "limestone": (217, 203, 172), "honey": (206, 170, 116), "marble": (233, 230, 223), "granite": (154, 154, 157),
    "sandstone": (196, 134, 100), "brick": (158, 80, 64), "umber": (128, 92, 74), "ochre": (222, 180, 102),
    "cream": (238, 225, 194), "rose": (212, 160, 148), "basalt": (104, 101, 106), "sky": (172, 192, 206),
    "chalk": (242, 240, 234), "sage": (170, 184, 156),
}
_ROOFS: dict[str, Colour] = {
    "slate": (86, 93, 108), "tile": (178, 95, 66), "copper": (112, 164, 146), "lead": (144, 150, 156),
    "bark": (112, 82, 60), "gilt": (210, 168, 78), "oxblood": (148, 58, 52), "azure": (54, 104, 152),
    "soot": (70, 67, 70),
}
_METALS: tuple[Colour, ...] = ((214, 172, 82), (112, 160, 144), (90, 78, 62), (170, 172, 174))
_DOORS: tuple[Colour, ...] = ((84, 56, 38), (58, 44, 36), (92, 38, 32), (40, 62, 54), (46, 56, 78))


@dataclass(frozen=True)
class Palette:
    """RGB colours, 0..255, of one building's parts."""

    wall: Colour
    trim: Colour
    roof: Colour
    metal: Colour
    door: Colour
    glass: Colour


def draw_palette(rng: np.random.Generator) -> Palette:
    """Picks a palette; walls and roofs come from short lists, so that buildings share their colours."""
    wall = jitter(_WALLS[str(rng.choice(list(_WALLS)))], rng, 7)
    roof = jitter(_ROOFS[str(rng.choice(list(_ROOFS)))], rng, 7)
    trims = (mix(wall, (255, 252, 244), 0.55), mix(wall, (255, 252, 244), 0.3), mix(wall, (60, 50, 46), 0.3),
             (236, 230, 216), (178, 110, 84))
    return Palette(wall, trims[rng.integers(len(trims))], roof, _METALS[rng.integers(len(_METALS))],
                   _DOORS[rng.integers(len(_DOORS))], jitter((64, 78, 94), rng, 12))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Returns `first` with `share` (0..1) of `second` stirred in."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def jitter(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    """Returns `colour` moved at random, by about `spread` of 255 in each channel."""
    return tuple(int(value) for value in np.clip(np.add(colour, rng.normal(0, spread, 3)), 0, 255))
