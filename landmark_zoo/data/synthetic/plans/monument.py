"""An obelisk, or a column that carries a statue."""

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans.statue import statue
from landmark_zoo.data.synthetic.roundwork import column
from landmark_zoo.data.synthetic.solids import block, hip_roof, steps, upright


def monument(mason: Mason) -> list[Panel]:
    """Returns the panels of an obelisk or a statue's column."""
    plan, u = mason.building, mason.unit
    broad = (30 + 16 * (1 - plan.slender)) * u
    base = (3 + plan.towers) * u
    panels = steps(mason, 0, 0, broad, broad, base, 3)
    foot, tall = broad * (0.42 + 0.2 * plan.window_share), (10 + 8 * plan.window_share) * u
    panels += block(mason, 0, 0, foot, foot, base, tall)
    plaque = Canvas(foot * 0.6, tall * 0.5, mason.density)
    plaque.rectangle(0, 0, foot, tall, plan.palette.metal)
    for row in range(4):
        plaque.rectangle(foot * 0.08, tall * (0.08 + 0.1 * row), foot * 0.44, tall * 0.03, (50, 44, 40))
    panels.append(upright(plaque.texture(), foot * 0.6, foot / 2 + 0.05 * u, base + tall * 0.2, tall * 0.5))
    top = base + tall
    if plan.seed % 5 < 2:
        side, rise = foot * 0.52, (62 + 16 * plan.slender) * u
        panels += hip_roof(mason, 0, 0, side, side, top, rise, 0.62, plan.palette.wall, roof=False)
        panels += hip_roof(mason, 0, 0, side * 0.62, side * 0.62, top + rise, side * 0.6, 0, plan.palette.metal,
                           roof=False)
    else:
        rise = (28 + 30 * plan.slender) * u
        panels.append(column(mason, foot * 0.24, rise, plan.palette.trim if plan.quoins else None).raised(top))
        panels += block(mason, 0, 0, foot * 0.5, foot * 0.5, top + rise, 2.5 * u)
        kind = ("orator", "angel", "rider")[plan.bays % 3]
        panels.append(statue(mason, 0, 0, top + rise + 2.5 * u, (16 + 10 * plan.window_share) * u, kind))
    if plan.towers > 2:
        kind = ("angel", "rider")[plan.towers % 2]
        panels += [statue(mason, x * broad * 0.4, broad * 0.4, base, 11 * u, kind) for x in (-1, 1)]
    for x in (-1, 1):
        for z in (-1, 1):
            panels += block(mason, x * broad * 0.62, z * broad * 0.62, 1.6 * u, 1.6 * u, 0, 4 * u)
    return panels
