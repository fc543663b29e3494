"""A cathedral: nave, west front with one or two towers, spires, rose window."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import spire
from landmark_zoo.data.synthetic.solids import block, gable_roof, hip_roof


def cathedral(mason: Mason) -> list[Panel]:
    """Returns the panels of a cathedral."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    tall = 34 + 22 * plan.slender
    nave, length, height = 24 * u, (60 + 25 * rng.random()) * u, tall * 0.7 * u
    tower, rise = (14 + 5 * rng.random()) * u, (tall + 8 * rng.random()) * u
    front = Facade(storeys=0, portals=3 if plan.towers > 2 else 1, rose=True, crown="none")
    side = Facade(storeys=2, bays=plan.bays, window="pointed" if plan.window == "square" else plan.window, tall=0.8)
    panels = block(mason, 0, -length / 2, nave, length, 0, height, front, side)
    panels += gable_roof(mason, 0, -length / 2, nave + u, length + u, height, nave * 0.5 * (0.6 + plan.steepness),
                         oculus=True)
    panels += block(mason, 0, -length * 0.55, nave * 2.1, nave * 0.9, 0, height * 0.96, side)
    panels += gable_roof(mason, 0, -length * 0.55, nave * 2.1, nave * 0.9, height * 0.96, nave * 0.55, "x")
    belfry = Facade(storeys=3 + plan.storeys // 3, bays=2, window=side.window, tall=0.75, clock=plan.clock, portals=0)
    places = (-1, 1) if plan.towers % 2 == 0 else ((0,) if plan.towers == 1 else (-1,))
    for place in places:
        x, z = place * (nave + tower) / 2, -tower * 0.3 if place else tower * 0.35
        panels += block(mason, x, z, tower, tower, 0, rise, belfry)
        top = rise - (0 if plan.crown in ("cornice", "none") else 2 * u)
        if rng.random() < 0.5:
            panels += spire(mason, x, z, tower * 0.5, top, (14 + 26 * plan.steepness) * u)
        elif plan.spire != "flat":
            panels += hip_roof(mason, x, z, tower, tower, top, (14 + 24 * plan.steepness) * u)
    panels += spire(mason, 0, -length * 0.55, 3.2 * u, height + nave * 0.4, 22 * u)
    return panels
