"""Which ensembles a leave-one-out report looks at."""

from collections.abc import Sequence


def combinations(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Returns a title and the places of the members: all, all but one, and, where that is something else, each alone.

    Args:
        names: Of the members, two or more.
    """
    everyone = tuple(range(len(names)))
    found = {"all": everyone}
    if len(names) > 2:
        found |= {f"without {name}": tuple(other for other in everyone if other != place)
                  for place, name in enumerate(names)}
    return found | {f"{name} alone": (place,) for place, name in enumerate(names)}
