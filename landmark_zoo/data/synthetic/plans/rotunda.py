"""A rotunda: a round hall under a great dome, with a portico."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans.portico import portico
from landmark_zoo.data.synthetic.roundwork import dome, round_tower
from landmark_zoo.data.synthetic.solids import placed, steps


def rotunda(mason: Mason) -> list[Panel]:
    """Returns the panels of a rotunda."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    radius = (28 + 8 * (1 - plan.slender)) * u
    height = (20 + 22 * plan.slender) * u
    panels = steps(mason, 0, -radius, radius * 2.5, radius * 2.5, 3 * u, 2)
    hall = Facade(storeys=min(plan.storeys, 3), bays=plan.bays, tall=0.66, arcade=plan.seed % 2 == 0)
    panels.append(round_tower(mason, 0, -radius, radius, 3 * u, height, hall, "shaft"))
    top = 2 * u + height
    if plan.towers > 1:
        drum = Facade(storeys=1, bays=9, window="round", tall=0.7)
        panels.append(round_tower(mason, 0, -radius, radius * 0.66, top, 11 * u, drum, "shaft"))
        panels += dome(mason, 0, -radius, radius * 0.64, top + 10 * u, radius * (0.55 + 0.35 * rng.random()))
    else:
        panels += dome(mason, 0, -radius, radius * 0.93, top, radius * (0.5 + 0.3 * rng.random()))
    if plan.towers != 3:
        panels += placed(portico(mason, radius * 1.3, height * 0.8, 0, 4 + 2 * (plan.towers % 2), deep=14), 0, 10 * u)
    return panels
