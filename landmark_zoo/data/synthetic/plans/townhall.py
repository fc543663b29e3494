"""A town hall: a broad front with a belfry, steep or stepped roofs."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import dome, flag, spire
from landmark_zoo.data.synthetic.solids import block, gable_roof, hip_roof


def townhall(mason: Mason) -> list[Panel]:
    """Returns the panels of a town hall."""
    plan, u, rng = mason.building, mason.unit, mason.rng
    width, depth, height = (64 + 16 * rng.random()) * u, 28 * u, (20 + 12 * plan.slender) * u
    main = Facade(storeys=plan.storeys, bays=plan.bays, arcade=plan.seed % 2 == 0)
    panels = block(mason, 0, -depth / 2, width, depth, 0, height, main, Facade(storeys=plan.storeys, bays=3))
    if plan.seed % 3 == 0:
        panels += gable_roof(mason, 0, -depth / 2, width, depth, height, depth * 0.45 * plan.steepness, "x")
        for place in (-0.3, 0.3):
            panels += gable_roof(mason, place * width, -depth * 0.3, width * 0.26, depth * 0.6, height,
                                 14 * u, oculus=True)
    else:
        panels += hip_roof(mason, 0, -depth / 2, width * 1.02, depth * 1.02, height - u, 13 * plan.steepness * u, 0.55)
    side = (11 + 5 * rng.random()) * u
    rise = (48 + 22 * rng.random()) * u
    x = (0.0, -0.36 * width, 0.36 * width)[plan.towers % 3]
    z = side * 0.12
    belfry = Facade(storeys=4 + plan.storeys // 2, bays=2, portals=1, clock=True, window_share=0.4)
    panels += block(mason, x, z, side, side, 0, rise, belfry)
    if plan.quoins or plan.rose:
        panels += block(mason, x, z, side * 0.72, side * 0.72, rise, 9 * u, Facade(storeys=1, bays=2, tall=0.7))
        rise += 9 * u
        side *= 0.72
    top = rise - (2 * u if plan.crown not in ("cornice",) else 0)
    if plan.steepness > 1.1:
        panels += hip_roof(mason, x, z, side, side, top, 22 * u)
    elif plan.spire == "flat" or plan.steepness < 0.7:
        panels += dome(mason, x, z, side * 0.5, top, side * 0.8)
    else:
        panels += spire(mason, x, z, side * 0.55, top, 22 * u)
    if plan.flags:
        panels += [flag(mason, place * width * 0.3, -depth * 0.1, height, 10 * u) for place in (-1, 1)]
    return panels
