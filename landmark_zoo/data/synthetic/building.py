"""What makes one building differ from another."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.masonry import MATERIALS
from landmark_zoo.data.synthetic.openings import OPENINGS
from landmark_zoo.data.synthetic.palette import Colour, Palette, draw_palette

CROWNS = ("cornice", "balustrade", "battlements", "swallowtails", "pinnacles")
DOMES = ("hemisphere", "onion", "pointed", "saucer", "melon")
SPIRES = ("needle", "cone", "helm", "lantern", "flat")
_FLOODLIGHTS = ((1.05, 0.86, 0.6), (1.0, 0.92, 0.78), (0.92, 0.95, 1.0), (1.1, 0.78, 0.46), (0.8, 0.9, 1.1))


@dataclass(frozen=True)
class Building:
    """The parameters of a landmark; `plans` turns them into panels.

    Attributes:
        plan: Name of the kind of building, a key of `plans.PLANS`.
        seed: For proportions that only the plan knows.
        size: Its greatest extent in metres.
        palette: Colours.
        material: One of `masonry.MATERIALS`.
        slender: 0 squat to 1 tall.
        storeys, bays: Rows and columns of windows in the main front; `bays` is odd.
        window, portal: Shapes, of `openings.OPENINGS`.
        window_share: Breadth of a window by breadth of its bay.
        hood: What crowns a window: "none", "flat", "gable" or "arch".
        crown: What crowns a wall, of `CROWNS`.
        dome, spire: Shapes, of `DOMES` and `SPIRES`.
        towers: 1 to 4; what that means is up to the plan.
        steepness: Rise of a roof by half its span.
        pilasters, quoins, stripes, shutters, rose, clock, flags: Ornament, present or not.
        floodlight: Colour of the lamps that light it at night, factors of RGB.
    """

    plan: str
    seed: int
    size: float
    palette: Palette
    material: str
    slender: float
    storeys: int
    bays: int
    window: str
    portal: str
    window_share: float
    hood: str
    crown: str
    dome: str
    spire: str
    towers: int
    steepness: float
    pilasters: bool
    quoins: bool
    stripes: bool
    shutters: bool
    rose: bool
    clock: bool
    flags: bool
    floodlight: Colour


def draw_building(rng: np.random.Generator, plan: str, size: tuple[float, float]) -> Building:
    """Draws a building's parameters.

    Args:
        rng: Source of chance; two equal ones give equal buildings.
        plan: Key of `plans.PLANS`.
        size: Least and greatest extent in metres.
    """
    def maybe(share: float) -> bool:
        return bool(rng.random() < share)

    def one_of(choices: tuple) -> str:
        return choices[rng.integers(len(choices))]

    return Building(
        plan=plan, seed=int(rng.integers(2 ** 31)), size=float(rng.uniform(*size)), palette=draw_palette(rng),
        material=one_of(MATERIALS), slender=float(rng.random()), storeys=int(rng.integers(2, 6)),
        bays=int(rng.choice([5, 7, 9, 11])), window=one_of(OPENINGS), portal=one_of(OPENINGS[1:]),
        window_share=float(rng.uniform(0.36, 0.62)), hood=one_of(("none", "flat", "gable", "arch")),
        crown=one_of(CROWNS), dome=one_of(DOMES), spire=one_of(SPIRES), towers=int(rng.integers(1, 5)),
        steepness=float(rng.uniform(0.45, 1.5)), pilasters=maybe(0.4), quoins=maybe(0.4), stripes=maybe(0.25),
        shutters=maybe(0.2), rose=maybe(0.6), clock=maybe(0.35), flags=maybe(0.3), floodlight=one_of(_FLOODLIGHTS))
