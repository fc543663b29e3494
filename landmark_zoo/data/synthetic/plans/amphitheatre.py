"""An amphitheatre: an oval ring of arcades, whole or broken."""

from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.solids import prism
from landmark_zoo.data.synthetic.texture import Texture

_SIDES = 18


def amphitheatre(mason: Mason) -> list[Panel]:
    """Returns the panels of an amphitheatre."""
    plan, u = mason.building, mason.unit
    tiers, bays = 2 + plan.towers % 3, 1 + plan.bays % 3
    across = (9.6 + 2.6 * plan.window_share) * u
    height = (7 + 8 * plan.slender) * u * (1.3 if tiers == 2 else 1.0)
    broken = plan.seed % 2 == 0
    panels, low = [], 0.0
    for tier in range(tiers):
        attic = tier == tiers - 1 and plan.rose
        ring = prism(_arcade(mason, across, height, bays, attic), 0, -30 * u, _SIDES, across, low, height, 1.35,
                     closed=False)
        if broken and tier >= tiers - 2:
            gone = {(plan.seed + number) % _SIDES for number in range(5 + 2 * (tier - tiers + 2))}
            ring = [panel for number, panel in enumerate(ring) if number not in gone]
        panels += ring
        low += height
    seats = mason.plain(across * 0.85, height * (tiers - 0.6), mix(plan.palette.wall, (70, 60, 52), 0.4))
    inner = prism(seats, 0, -30 * u, _SIDES, across * 0.82, 0, height * (tiers - 0.6), 1.35, closed=False)
    return panels + inner


def _arcade(mason: Mason, width: float, height: float, bays: int, attic: bool) -> Texture:
    plan = mason.building
    canvas = mason.canvas(width, height, plan.palette.wall)
    pale = mix(plan.palette.trim, (255, 255, 255), 0.12)
    bay = width / bays
    shape = plan.portal if plan.portal != "ogee" else "round"
    for number in range(bays):
        x = (number + 0.5) * bay
        if attic:
            canvas.rectangle(x - bay * 0.16, height * 0.3, bay * 0.32, bay * 0.34, pale)
            canvas.rectangle(x - bay * 0.11, height * 0.33, bay * 0.22, bay * 0.26, (46, 40, 38), 130)
        else:
            canvas.polygon(opening(shape, x, 0, bay * 0.78, height * 0.78), pale)
            canvas.polygon(opening(shape, x, 0, bay * (0.4 + 0.3 * plan.window_share), height * 0.7), (52, 44, 40), 130)
        if plan.pilasters:
            canvas.rectangle(number * bay - bay * 0.07, 0, bay * 0.14, height, pale)
            canvas.shade(number * bay + bay * 0.05, 0, bay * 0.06, height, 0.75, 0.75)
    if plan.stripes:
        canvas.shade(0, height * 0.2, width, height * 0.12, 0.8, 0.8)
        canvas.shade(0, height * 0.45, width, height * 0.12, 0.8, 0.8)
    canvas.rectangle(0, height * 0.88, width, height * 0.12, pale)
    canvas.shade(0, height * 0.8, width, height * 0.08, 0.68, 1.0)
    return canvas.texture()
