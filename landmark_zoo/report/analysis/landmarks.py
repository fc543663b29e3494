"""Photographs per landmark."""

import numpy as np

from landmark_zoo.data.analysis.class_balance import ClassBalance
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.readable_name import readable_name
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.figure import SERIES, Chart
from landmark_zoo.report.table import Html, table

NAMED = 50
LETTERS = 26
FEW = 10
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
_POINTS = 400


def landmarks(balance: ClassBalance) -> Html:
    """Draws head and tail, unless there are none, and the `NAMED` most photographed landmarks, and says what is seen."""
    if not len(balance.counts):
        return Html("<p>No landmarks are named.</p>")
    spread = f"{_head_and_tail(balance.counts)}{_by_size(balance)}"
    curve = "" if _even(balance.counts) else f"<div>{spread}</div>"
    return Html(f'<p>{_sentence(balance)}</p><div class="pair">{curve}<div>{_most_photographed(balance)}</div></div>')


def _even(counts: np.ndarray) -> bool:
    return counts[0] < 1.5 * counts[-1]


def _sentence(balance: ClassBalance) -> str:
    counts = balance.counts
    total = int(counts.sum())
    if counts[0] == counts[-1]:
        return f"{counted(len(counts), 'landmark')} with {counted(int(counts[0]), 'photograph')} each."
    if _even(counts):
        return (f"{counted(len(counts), 'landmark')} with {counts[-1]:,} to {counts[0]:,} photographs each: all are covered "
                "about equally well, there is no long tail.")
    text = (f"The most photographed landmark has {counts[0]:,} photographs, the least {counts[-1]:,}, the one in the middle "
            f"{np.median(counts):,.0f}. Half of all {total:,} photographs show {counted(balance.head, 'landmark')} "
            f"({share(balance.head, len(counts))} of {len(counts):,}).")
    if not balance.at_most(FEW):
        return text
    return (f"{text} {counted(balance.at_most(1), 'landmark').capitalize()} have a single photograph, "
            f"{counted(balance.at_most(FEW), 'landmark')} at most {FEW}.")


def _head_and_tail(counts: np.ndarray) -> Html:
    ranks = np.unique(np.geomspace(1, len(counts), _POINTS).round().astype(int))
    with Chart("head-tail", "From head to tail", "rank of the landmark", "photographs", height=3.2) as chart:
        chart.axes.fill_between(ranks, counts[ranks - 1], 0.5, color=SERIES[0], alpha=0.2, linewidth=0)
        chart.axes.plot(ranks, counts[ranks - 1], color=SERIES[0], marker="o" if len(counts) < NAMED else None, markersize=3)
        chart.axes.set(xscale="log", yscale="log", ylim=(0.7, 1.6 * counts[0]), xlim=(0.9, 1.1 * len(counts)))
        chart.axes.xaxis.set_major_formatter("{x:,.0f}")
        chart.axes.yaxis.set_major_formatter("{x:,.0f}")
        chart.axes.minorticks_off()
    return chart.html(f"Photographs of {len(counts):,} landmarks by rank, logarithmic axes: {counts[0]:,} to {counts[-1]:,}")


def _by_size(balance: ClassBalance) -> Html:
    rows, below = [], 0
    for most in (*STEPS, int(balance.counts[0])):
        number = balance.at_most(most) - balance.at_most(below)
        if number:
            rows.append((f"{most:,}" if most == below + 1 else f"{below + 1:,} to {most:,}", f"{number:,}",
                         share(number, len(balance.counts))))
        below = most
    return table(["Photographs", "Landmarks", "Share"], rows)


def _most_photographed(balance: ClassBalance) -> Html:
    counts, names = balance.counts[:NAMED], balance.landmarks[:NAMED]
    title = f"The {NAMED} most photographed" if len(balance.counts) > NAMED else "All landmarks"
    with Chart("top", title, "photographs", "", height=0.8 + 0.135 * len(counts)) as chart:
        chart.axes.barh(range(len(counts)), counts, color=SERIES[0], height=0.72)
        chart.axes.set_yticks(range(len(counts)), [_short(name) for name in names], fontsize=7)
        chart.axes.invert_yaxis()
        chart.axes.margins(y=0.01)
        chart.axes.tick_params(axis="y", length=0)
        chart.axes.grid(axis="y", visible=False)
        chart.axes.grid(axis="x", linewidth=0.7)
        chart.axes.xaxis.set_major_formatter("{x:,.0f}")
    first = ", ".join(f"{name} {count:,}" for name, count in zip(names[:5], counts, strict=False))
    return chart.html(f"{title}, photographs: {first}")


def _short(landmark: str) -> str:
    name = readable_name(landmark)
    return name if len(name) <= LETTERS else f"…{name[1 - LETTERS:]}"
