"""A landmark with its surroundings, drawn once and photographed often."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.building import Building, draw_building
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans import PLANS
from landmark_zoo.data.synthetic.stock import Stock, draw_stock
from landmark_zoo.data.synthetic.street import SETTINGS, Street, draw_street
from landmark_zoo.data.synthetic.viewpoint import Bounds

_SETTING = {"bridge": "waterfront", "lighthouse": "waterfront", "pyramid": "plain", "aqueduct": "plain"}


@dataclass(frozen=True)
class Site:
    """What can be photographed.

    Attributes:
        seed: Of the collection.
        number: Of the site.
        long_side: Greater side of its photographs, pixels.
        building: The landmark; None in a street without one.
        panels: The landmark's.
        bounds: The box a camera is turned to.
        street: Its surroundings.
        stock: What may stand in the way.
    """

    seed: int
    number: int
    long_side: int
    building: Building | None
    panels: list[Panel]
    bounds: Bounds
    street: Street
    stock: Stock


def draw_site(seed: int, number: int, long_side: int, plan: str | None) -> Site:
    """Draws a site; equal arguments give equal sites.

    Args:
        seed: Of the collection.
        number: Of the site.
        long_side: Greater side of its photographs, pixels.
        plan: Key of `PLANS`; None for a street without a landmark.
    """
    rng = np.random.default_rng([seed, 1, number])
    stock = draw_stock(seed)
    if plan is None:
        radius = float(rng.uniform(20, 44))
        bounds = Bounds(np.array((-0.45 * radius, 0, -1.3 * radius)), np.array((0.45 * radius, 13, -1.1 * radius)))
        setting = str(rng.choice(SETTINGS, p=(0.4, 0.3, 0.14, 0.06, 0.1)))
        return Site(seed, number, long_side, None, [], bounds, draw_street(rng, stock, radius, setting), stock)
    build, size = PLANS[plan]
    building = draw_building(rng, plan, size)
    panels = build(Mason(building, round(2.6 * long_side)))
    corners = np.concatenate([panel.corners for panel in panels])
    bounds = Bounds(corners.min(0), corners.max(0))
    panels = [panel.moved(-bounds.middle[0], -bounds.middle[2]) for panel in panels]
    shift = bounds.middle * (1, 0, 1)
    bounds = Bounds(bounds.low - shift, bounds.high - shift)
    setting = _SETTING.get(plan) or str(rng.choice(SETTINGS, p=(0.42, 0.16, 0.24, 0.08, 0.1)))
    radius = float(np.hypot(bounds.extent[0], bounds.extent[2])) / 2 * 1.15 + 14
    return Site(seed, number, long_side, building, panels, bounds, draw_street(rng, stock, radius, setting), stock)
