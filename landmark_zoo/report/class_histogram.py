"""How the training photographs spread over the landmarks."""

import numpy as np

from landmark_zoo.data.manifest import Manifest
from landmark_zoo.report.figure import SERIES, Chart
from landmark_zoo.report.table import Html, table

NAMED = 40
LETTERS = 28


def class_histogram(manifest: Manifest) -> list[Html]:
    """Draws the photographs per landmark, most first, and a table of what is typical.

    Up to `NAMED` landmarks are named bars; more are one falling curve with logarithmic counts.
    """
    counts = np.array(manifest.class_counts)
    order = np.argsort(-counts, kind="stable")
    alt = (f"{manifest.num_classes:,} landmarks with {counts.min():,} to {counts.max():,} photographs each, "
           f"median {np.median(counts):,.0f}")
    named = len(counts) <= NAMED
    labels = ("photographs", "landmark") if named else ("landmarks, most photographed first", "photographs")
    height = max(2.9, 0.7 + 0.16 * len(counts)) if named else 2.9
    with Chart("classes", "Photographs per landmark", *labels, height=height) as chart:
        if named:
            _bars(chart, [manifest.label_map.landmark_id(int(label)) for label in order], counts[order])
        else:
            _falling_curve(chart, counts[order])
    facts = [("Photographs", f"{manifest.num_examples:,}"), ("Landmarks", f"{manifest.num_classes:,}"),
             ("Most of one landmark", f"{counts.max():,}"), ("Median", f"{np.median(counts):,.0f}"),
             ("Fewest", f"{counts.min():,}"), ("Left out as bad", f"{manifest.skipped:,}"), ("Source", manifest.source)]
    return [chart.html(alt), table(["Training records", ""], facts)]


def _bars(chart: Chart, names: list[str], counts: np.ndarray) -> None:
    short = [name if len(name) <= LETTERS else f"{name[:LETTERS - 1]}…" for name in names]
    chart.axes.barh(range(len(counts)), counts, color=SERIES[0], height=0.7)
    chart.axes.set_yticks(range(len(counts)), short, fontsize=8)
    chart.axes.invert_yaxis()
    chart.axes.margins(y=0.01)
    chart.axes.tick_params(axis="y", length=0)
    chart.axes.grid(axis="y", visible=False)
    chart.axes.grid(axis="x", linewidth=0.7)


def _falling_curve(chart: Chart, counts: np.ndarray) -> None:
    some = np.unique(np.linspace(0, len(counts) - 1, 500).astype(int))
    chart.axes.fill_between(some + 1, counts[some], 0.5, color=SERIES[0], alpha=0.25, linewidth=0)
    chart.axes.plot(some + 1, counts[some], color=SERIES[0])
    chart.axes.set_yscale("log")
    chart.axes.set_ylim(bottom=0.7)
    chart.axes.xaxis.set_major_formatter("{x:,.0f}")
    chart.axes.yaxis.set_major_formatter("{x:,.0f}")
