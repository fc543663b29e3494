"""The box of a query, before any picture is read."""

import math
from collections.abc import Sequence

from landmark_zoo.core.errors import UserError


def checked_box(box: Sequence[float], name: str) -> tuple[float, float, float, float]:
    """Returns the box as four floats.

    Args:
        box: x1, y1, x2, y2 in pixels.
        name: Of the picture, for the error.

    Raises:
        UserError: Not four finite numbers with 0 <= x1 < x2 and 0 <= y1 < y2.
    """
    try:
        x1, y1, x2, y2 = numbers = tuple(float(number) for number in box)
        good = all(map(math.isfinite, numbers)) and 0 <= x1 < x2 and 0 <= y1 < y2
    except (TypeError, ValueError):
        good = False
    if not good:
        raise UserError(f"a box x1,y1,x2,y2 with 0 <= x1 < x2 and 0 <= y1 < y2 for {name}", f"{box}", "Mend the box.")
    return numbers
