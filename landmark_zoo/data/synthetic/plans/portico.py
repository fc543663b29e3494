"""A row of columns under a pediment."""

from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.roundwork import column
from landmark_zoo.data.synthetic.solids import BLIND, block, gable_roof


def portico(mason: Mason, width: float, height: float, front: float, columns: int, deep: float = 6.0) -> list[Panel]:
    """Returns a portico.

    Args:
        mason: Of the building.
        width, height: Metres, without the pediment.
        front: The z of its face.
        columns: Number of columns, at least 2.
        deep: Metres in hundredths of the building's size.
    """
    u = mason.unit
    depth, beam, plinth = deep * u, 0.15 * height, 0.07 * height
    z = front - depth / 2
    panels = block(mason, 0, z, width * 1.04, depth * 1.2, 0, plinth)
    radius = min(0.3 * width / columns, 0.09 * height)
    shaft = column(mason, radius, height - beam - plinth)
    for number in range(columns):
        x = (number / (columns - 1) - 0.5) * (width - 2.4 * radius)
        panels.append(shaft.moved(x, front - 1.2 * radius).raised(plinth))
    panels += block(mason, 0, z, width, depth, height - beam, beam, BLIND)
    return panels + gable_roof(mason, 0, z, width * 1.06, depth + u, height, width * 0.17)
