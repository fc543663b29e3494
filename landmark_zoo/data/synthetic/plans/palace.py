"""A palace: long wings, a portico in the middle, a dome or a steep roof over it."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans.portico import portico
from landmark_zoo.data.synthetic.roundwork import dome, flag, round_tower
from landmark_zoo.data.synthetic.solids import block, gable_roof, hip_roof


def palace(mason: Mason) -> list[Panel]:
    """Returns the panels of a palace."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    width, depth, height = 98 * u, 34 * u, (16 + 10 * plan.slender) * u
    storeys = min(plan.storeys, 3)
    wing = Facade(storeys=storeys, bays=2 * plan.bays + 1, arcade=plan.bays > 7)
    panels = block(mason, 0, -depth / 2, width, depth, 0, height, wing, Facade(storeys=storeys, bays=plan.bays))
    middle, above = 30 * u, height * (1.12 + 0.2 * rng.random())
    centre = Facade(storeys=storeys, bays=5, portals=1)
    panels += block(mason, 0, -depth / 2 + 3 * u, middle, depth, 0, above, centre)
    if plan.towers > 1:
        panels += portico(mason, middle * 0.9, above * 0.92, 3 * u + 6 * u, columns=6)
    else:
        panels += gable_roof(mason, 0, -depth / 2 + 3 * u, middle, depth, above, middle * 0.22, oculus=True)
    if plan.towers >= 2:
        for place in (-1, 1):
            x = place * (width - 16 * u) / 2
            panels += block(mason, x, -depth / 2 + 2 * u, 16 * u, depth, 0, height * 1.1,
                            Facade(storeys=storeys, bays=3))
            if plan.steepness > 0.8:
                panels += hip_roof(mason, x, -depth / 2 + 2 * u, 16 * u, depth, height * 1.1, 11 * u, top=0.4)
    if plan.seed % 3:
        radius = (10 + 4 * rng.random()) * u
        drum = Facade(storeys=1, bays=7, tall=0.7, crown="cornice")
        panels.append(round_tower(mason, 0, -depth / 2, radius, above - u, 13 * u, drum, "shaft"))
        panels += dome(mason, 0, -depth / 2, radius * 0.96, above + 12 * u, radius * (0.8 + 0.6 * rng.random()))
    else:
        panels += hip_roof(mason, 0, -depth / 2 + 3 * u, middle, depth, above, 15 * u, top=0.45)
        panels.append(flag(mason, 0, -depth / 2, above + 15 * u, 10 * u))
    return panels
