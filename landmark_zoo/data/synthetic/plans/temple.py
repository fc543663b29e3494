"""A temple: columns all round on a stepped base, a low roof."""

import numpy as np

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import column
from landmark_zoo.data.synthetic.solids import BLIND, block, gable_roof, steps


def temple(mason: Mason) -> list[Panel]:
    """Returns the panels of a temple."""
    plan, u = mason.building, mason.unit
    across, along = 4 + 2 * (plan.towers % 3), plan.bays + 2
    width, depth = (46 + 6 * across) * u, (70 + 2 * plan.bays) * u
    height, base = (22 + 16 * plan.slender) * u, (4 + 2 * plan.towers) * u
    panels = steps(mason, 0, -depth / 2, width * 1.16, depth * 1.12, base, 4)
    panels += block(mason, 0, -depth / 2, width * 0.68, depth * 0.78, base, height,
                    Facade(portals=1, crown="none", dressed=False), BLIND)
    radius = min(2.6 * u, 0.24 * width / across) * (0.8 + 0.4 * plan.window_share)
    shaft = column(mason, radius, height * 0.84)
    half, back = width / 2 - 1.4 * radius, depth - 1.4 * radius
    places = [(x, z) for x in np.linspace(-half, half, across) for z in (-1.4 * radius, -back)]
    places += [(x, z) for z in np.linspace(-1.4 * radius, -back, along)[1:-1] for x in (-half, half)]
    panels += [shaft.moved(x, z).raised(base) for x, z in places]
    frieze = Facade(crown="cornice", dressed=False)
    panels += block(mason, 0, -depth / 2, width, depth, base + height * 0.84, height * 0.2, frieze)
    if plan.seed % 4:
        panels += gable_roof(mason, 0, -depth / 2, width * 1.04, depth * 1.03, base + height * 1.04,
                             width * (0.12 + 0.1 * plan.steepness), oculus=plan.rose)
    return panels
