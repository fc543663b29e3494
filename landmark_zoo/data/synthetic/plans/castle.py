"""A castle: curtain walls, corner towers, a keep."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import flag, round_tower, spire
from landmark_zoo.data.synthetic.solids import block, hip_roof


def castle(mason: Mason) -> list[Panel]:
    """Returns the panels of a castle."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    crown = plan.crown if plan.crown in ("battlements", "swallowtails") else "battlements"
    width, depth, wall = 84 * u, 60 * u, (13 + 9 * rng.random()) * u
    curtain = Facade(storeys=1, bays=plan.bays, window_share=0.16, tall=0.3, portals=1, crown=crown, dressed=False)
    panels = block(mason, 0, -depth / 2, width, depth, 0, wall, curtain)
    heights = wall * (1.35 + 0.7 * rng.random(4)) if plan.seed % 2 else [wall * 1.55] * 4
    radius = (5.5 + 3 * rng.random()) * u
    slits = Facade(storeys=3, bays=3, window_share=0.22, tall=0.4, crown=crown, dressed=False)
    for (x, z), height in zip(((-1, 0), (1, 0), (-1, -1), (1, -1)), heights, strict=True):
        panels.append(round_tower(mason, x * width / 2, z * depth, radius, 0, float(height), slits))
        if plan.steepness > 0.7:
            panels += spire(mason, x * width / 2, z * depth, radius, float(height), (10 + 12 * plan.steepness) * u)
    keep, high = (24 + 10 * rng.random()) * u, (38 + 28 * plan.slender) * u
    x = (rng.random() - 0.5) * 30 * u if plan.towers > 1 else 0.0
    great = Facade(storeys=plan.storeys, bays=5, window_share=0.34, crown=crown, clock=plan.clock)
    panels += block(mason, x, -depth * 0.6, keep, keep, 0, high, great)
    if plan.towers > 2:
        panels += hip_roof(mason, x, -depth * 0.6, keep * 0.9, keep * 0.9, high - 2 * u, 18 * u, top=0.1)
    for place in (-1, 1):
        panels.append(round_tower(mason, place * 8 * u, 0, 3.4 * u, 0, wall * 1.25, slits))
    panels.append(flag(mason, x, -depth * 0.6, high + (18 * u if plan.towers > 2 else -2 * u), 10 * u))
    return panels
