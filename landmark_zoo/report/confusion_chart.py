"""Which landmark is taken for which, as a picture."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.report.figure import Chart
from landmark_zoo.report.table import Html

LETTERS = 24
NAMED = 40


def confusion_chart(counts: np.ndarray, names: Sequence[str]) -> Html:
    """Draws a confusion matrix, each row as parts of its landmark's photographs.

    Args:
        counts: int [K, K], row true class, column predicted class.
        names: Of the K classes; written beside the rows up to `NAMED` of them.
    """
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with Chart("confusion", "Confusion", "recognised as (number of the landmark)", "", height=4.6) as chart:
        chart.axes.imshow(parts, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        chart.axes.grid(visible=False)
        if len(names) <= NAMED:
            chart.axes.set_yticks(range(len(names)), [f"{_short(name)}  {number}" for number, name in enumerate(names)],
                                  fontsize=6)
    right = np.trace(counts) / max(counts.sum(), 1)
    return chart.html(f"Confusion matrix of {len(names)} landmarks; {100 * right:.1f} % on the diagonal")


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[:LETTERS - 1]}…"
