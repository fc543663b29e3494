"""A pagoda: storeys that shrink, each under a wide curved roof."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, hip_roof, round_body, soffit, steps


def pagoda(mason: Mason) -> list[Panel]:
    """Returns the panels of a pagoda."""
    plan, u = mason.building, mason.unit
    tiers = 2 + plan.storeys + plan.towers % 2
    broad = (54 - 24 * plan.slender) * u * (1.15 if tiers < 5 else 1.0)
    low, shrink = 6 * u, 0.93 - 0.28 / tiers - 0.05 * plan.window_share
    panels = steps(mason, 0, 0, broad * 1.7, broad * 1.7, low, 3)
    total = 84 * u
    rise = total / tiers
    for tier in range(tiers):
        wall = rise * 0.55
        face = Facade(storeys=1, bays=3 if plan.bays < 9 else 5, tall=0.6, portals=int(tier == 0), crown="none")
        panels += block(mason, 0, 0, broad, broad, low, wall, face)
        panels += block(mason, 0, 0, broad * 1.08, broad * 1.08, low + wall * 0.9, wall * 0.1)
        low += wall
        flare = broad * (1.45 + 0.2 * plan.window_share)
        panels.append(soffit(mason, 0, 0, flare, flare, low - 0.06 * rise))
        panels += hip_roof(mason, 0, 0, flare, flare, low - 0.06 * rise, rise * 0.2, top=0.76)
        panels += hip_roof(mason, 0, 0, flare * 0.77, flare * 0.77, low + 0.13 * rise, rise * 0.36,
                           top=0.0 if tier == tiers - 1 else 0.5)
        low += rise * 0.42
        broad *= shrink
    finial = mason.canvas(3.1416 * 1.6 * u, 13 * u, plan.palette.metal)
    panels.append(round_body(finial, "lantern", 0, 0, low - 0.02 * rise))
    return panels
