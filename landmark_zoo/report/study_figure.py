"""The figure of a study."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from landmark_zoo.core.files import atomic_write
from landmark_zoo.report.figure import INK, LINE, MUTED, SERIES
from landmark_zoo.report.study_row import BASELINE, OFF_THE_SHELF, StudyRow

_STYLE = {"font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": LINE, "xtick.color": MUTED,
          "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
          "figure.constrained_layout.use": True, "legend.frameon": False}
_LOOKS = {"frozen": ("backbone frozen", SERIES[0], "o", -0.14), "end_to_end": ("backbone trained too", SERIES[1], "D", 0.14)}


def study_figure(rows: Sequence[StudyRow], path: str | Path) -> None:
    """Draws the blocks of a study, one line each, and writes a PNG.

    Left: the mean over seeds (large mark), the seeds (small marks) and the 95 % interval over queries, with a line at the
    baseline of each method and one at the backbone without training. Right: the difference to the baseline with its interval
    over queries and seeds. Methods differ by colour and shape of the mark.

    Args:
        rows: See `study_rows`.
        path: Of the PNG.
    """
    drawn = [row for row in rows if row.method in _LOOKS]
    blocks = list(dict.fromkeys(row.block for row in drawn))
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 1.6 + 0.42 * len(blocks)))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for row in drawn:
            _draw(left, right, row, blocks.index(row.block))
        _references(left, right, rows)
        _finish(left, right, blocks)
        figure.legend(*_unique(left), loc="outside upper left", ncols=4)
        with atomic_write(path, "wb") as file:
            figure.savefig(file, format="png", dpi=160)


def _draw(left: Axes, right: Axes, row: StudyRow, place: int) -> None:
    label, colour, marker, shift = _LOOKS[row.method]
    y = place + shift
    left.hlines(y, 100 * row.low, 100 * row.high, color=colour, linewidth=1.4)
    left.plot([100 * value for value in row.values.values()], [y] * len(row.values), marker, color=colour, markersize=4,
              markerfacecolor="white", linestyle="none", zorder=3)
    left.plot(100 * row.mean, y, marker, color=colour, markersize=8, linestyle="none", label=label)
    if row.difference:
        right.hlines(y, 100 * row.difference.low, 100 * row.difference.high, color=colour, linewidth=1.4)
        right.plot(100 * row.difference.value, y, marker, color=colour, markersize=8)


def _references(left: Axes, right: Axes, rows: Sequence[StudyRow]) -> None:
    for row in rows:
        if row.method == OFF_THE_SHELF:
            left.axvline(100 * row.mean, color=MUTED, linestyle=":", label=row.label)
        elif row.block == BASELINE:
            left.axvline(100 * row.mean, color=_LOOKS[row.method][1], linestyle="--", linewidth=1)
    left.plot([], [], color=INK, linestyle="--", linewidth=1, label="baseline of the same method")
    right.axvline(0, color=INK, linestyle="--", linewidth=1)


def _finish(left: Axes, right: Axes, blocks: list[str]) -> None:
    left.set_yticks(range(len(blocks)), blocks)
    left.set_ylim(len(blocks) - 0.5, -0.5)
    left.set_xlabel("mAP@100 (%): mean, seeds, 95 % interval over queries")
    right.set_xlabel("points against baseline, 95 % interval\nover queries and seeds")
    for axes in (left, right):
        axes.grid(axis="x", color=LINE, linewidth=0.7)
        axes.tick_params(left=False)
        axes.set_axisbelow(True)


def _unique(axes: Axes) -> tuple[list, list]:
    found = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    return list(found.values()), list(found)
