"""Where the photographs were taken."""

import numpy as np

from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.figure import LINE, SERIES, Chart
from landmark_zoo.report.table import Html

_CELL = 0.5
_LONGITUDES, _LATITUDES = range(-180, 181, 30), range(-90, 91, 30)


def places(measures: np.ndarray) -> Html:
    """Draws the places on a map of meridians and parallels, and says what is seen; nothing where there are none.

    Args:
        measures: `MEASURES` [N] of readable photographs.
    """
    placed = measures[np.isfinite(measures["latitude"])]
    if not len(placed):
        return Html("")
    cells = np.stack([placed["longitude"], placed["latitude"]], axis=1) // _CELL * _CELL + _CELL / 2
    spots, counts = np.unique(cells, axis=0, return_counts=True)
    have, are = "has" if len(placed) == 1 else "have", "is" if len(spots) == 1 else "are"
    text = (f"{counted(len(placed), 'photograph').capitalize()} ({share(len(placed), len(measures))}) {have} a place. A dot "
            f"gathers what lies within half a degree; there {are} {len(spots):,}, and the fullest holds {counts.max():,}.")
    with Chart("map", "Places", "degrees east", "degrees north", height=2.9) as chart:
        chart.axes.set(xlim=(-180, 180), ylim=(-90, 90), xticks=_LONGITUDES, yticks=_LATITUDES, aspect="equal")
        chart.axes.grid(visible=True, color=LINE, linewidth=0.7)
        chart.axes.scatter(spots[:, 0], spots[:, 1], s=8 + 12 * np.log10(counts), color=SERIES[1], alpha=0.7, linewidth=0)
        chart.axes.tick_params(labelsize=7)
    return Html(f"<h3>Places</h3><p>{text}</p>{chart.html(f'Map of {len(placed):,} photographs')}")
