"""A pyramid: smooth, or stepped with a stair and a shrine."""

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import block, hip_roof


def pyramid(mason: Mason) -> list[Panel]:
    """Returns the panels of a pyramid."""
    plan, u = mason.building, mason.unit
    wall, broad = plan.palette.wall, 100 * u
    height = (44 + 24 * plan.slender) * u
    if plan.seed % 4 == 0:
        panels = hip_roof(mason, 0, -broad / 2, broad, broad, 0, height * 0.78, 0.22, wall, roof=False)
        panels += hip_roof(mason, 0, -broad / 2, broad * 0.22, broad * 0.22, height * 0.78, height * 0.22, 0,
                           mix(wall, (250, 246, 236), 0.5), roof=False)
        if plan.towers > 1:
            panels += hip_roof(mason, broad * 0.72, -broad * 0.3, broad * 0.36, broad * 0.36, 0, height * 0.36, 0, wall,
                               roof=False)
        panels += block(mason, 0, -broad * 0.02, 8 * u, 5 * u, 0, 8 * u, Facade(portals=1, crown="none"))
        return panels
    tiers = 3 + plan.storeys + plan.towers % 2
    panels, low = [], 0.0
    for tier in range(tiers):
        side = broad * (1 - 0.76 * tier / tiers)
        lip = block(mason, 0, -broad / 2, side * 1.01, side * 1.01, low + 0.82 * height / tiers, 0.18 * height / tiers)
        panels += hip_roof(mason, 0, -broad / 2, side, side, low, height / tiers, 0.97,
                           mix(wall, plan.palette.trim, 0.35 * (tier % 2) * plan.stripes), roof=False) + lip
        low += height / tiers
    panels += _stair(mason, tiers, height, broad * 0.38)
    top = broad * 0.24
    panels += block(mason, 0, -broad / 2, top * 0.8, top * 0.7, height, 13 * u, Facade(storeys=1, bays=3, portals=1))
    if plan.steepness > 0.9:
        panels += hip_roof(mason, 0, -broad / 2, top, top * 0.9, height + 13 * u, 10 * u)
    return panels


def _stair(mason: Mason, tiers: int, height: float, run: float) -> list[Panel]:
    """Returns a flight up the front, from before the lowest tier to the edge of the highest."""
    plan, width, count = mason.building, 16 * mason.unit, 2 * tiers
    start = 1.4 * run / tiers
    pale = mix(plan.palette.wall, (250, 246, 236), 0.3)
    riser = mason.plain(width, height / count, mix(pale, (60, 50, 45), 0.25))
    tread = mason.plain(width, run / count, pale)
    cheek = mason.plain(run / count, 2 * height / tiers, mix(pale, (60, 50, 45), 0.15))
    panels = []
    for number in range(count):
        rise, z = height * (number + 1) / count, start - run * number / count
        deep = min(rise, 2 * height / tiers)
        panels.append(Panel(riser, (-width / 2, rise, z), (width, 0, 0), (0, -height / count, 0)))
        panels.append(Panel(tread, (-width / 2, rise, z - run / count), (width, 0, 0), (0, 0, run / count)))
        panels.append(Panel(cheek, (width / 2, rise, z), (0, 0, -run / count), (0, -deep, 0)))
        panels.append(Panel(cheek, (-width / 2, rise, z - run / count), (0, 0, run / count), (0, -deep, 0)))
    return panels
