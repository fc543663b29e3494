"""A church of many coloured onion domes."""

import numpy as np

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import jitter
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import dome, round_tower
from landmark_zoo.data.synthetic.solids import block, hip_roof

_ENAMEL = ((52, 98, 150), (48, 128, 98), (178, 62, 52), (214, 172, 82), (230, 226, 214), (120, 72, 132))


def onionchurch(mason: Mason) -> list[Panel]:
    """Returns the panels of a church with onion domes."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    width, height = (44 + 14 * rng.random()) * u, (16 + 10 * plan.slender) * u
    shape = plan.window if plan.window != "square" else "round"
    panels = block(mason, 0, -width / 2, width, width * 0.9, 0, height,
                   Facade(storeys=2, bays=plan.bays, window=shape, portals=1))
    panels += hip_roof(mason, 0, -width / 2, width, width * 0.9, height - 2 * u, 8 * u, 0.3)
    motley = plan.seed % 3 > 0
    bulb = "onion" if plan.dome in ("hemisphere", "saucer") else plan.dome

    def tower(x: float, z: float, radius: float, rise: float, number: int) -> list[Panel]:
        colour = jitter(_ENAMEL[(plan.seed + number * 5) % 6], rng, 6) if motley else plan.palette.roof
        drum = Facade(storeys=2, bays=3, window=shape, tall=0.7, crown="cornice")
        return [round_tower(mason, x, z, radius, height * 0.6, rise, drum, "tower"),
                *dome(mason, x, z, radius * 1.25, height * 0.6 + rise, radius * (2.0 + 0.8 * plan.steepness), colour,
                      bulb)]

    panels += tower(0, -width / 2, 6.5 * u, (32 + 12 * plan.slender) * u, 0)
    count = 2 + plan.towers
    for number in range(count):
        angle = 2 * np.pi * (number + 0.5) / count + 0.2
        radius = (3.6 + 1.4 * rng.random()) * u
        panels += tower(width * 0.4 * np.sin(angle), -width / 2 + width * 0.36 * np.cos(angle), radius,
                        (14 + 14 * rng.random()) * u, number + 1)
    return panels
