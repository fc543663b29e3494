"""Charts as SVG: curves of a run, images per landmark, confusion matrix."""

import io
import math
import re
import warnings
from collections.abc import Sequence
from html import escape

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from landmark_zoo.data.manifest import Manifest
from landmark_zoo.report.html import Html, shortened, table
from landmark_zoo.report.training_run import TrainingRun

INK, MUTED, LINE = "#1a1b1c", "#6a6b6c", "#dadbdc"
SERIES = ("#2f5fd0", "#c2570c", "#0f766e", "#8b3fb0", "#6a6b6d")
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line",
              **{color: f"--series-{number}" for number, color in enumerate(SERIES)}}
_STYLE = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 9,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.titlecolor": INK, "axes.edgecolor": LINE, "xtick.color": LINE,
    "ytick.color": LINE, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED, "grid.color": LINE,
    "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.5,
    "lines.linewidth": 1.8, "figure.constrained_layout.use": True, "text.parse_math": False, "svg.fonttype": "none",
    "axes.formatter.useoffset": False, "axes.facecolor": "none", "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


class Chart:
    """A figure with one pair of axes.

        with Chart("loss", "Loss", "optimiser step", "cross-entropy") as chart:
            chart.axes.plot(steps, losses, color=SERIES[0])
        page += chart.html("Loss falls from 9 to 2.")

    Args:
        name: Unique in the page.
        title: Above the axes.
        x: Quantity of the horizontal axis, with its unit.
        y: Quantity of the vertical axis, with its unit.
        height: Inches; the width is 4.7.
    """

    def __init__(self, name: str, title: str, x: str, y: str, height: float = 2.9):
        self._name, self._labels, self._height = name, {"title": title, "xlabel": x, "ylabel": y}, height
        self._style = matplotlib.rc_context({**_STYLE, "svg.hashsalt": name})

    def __enter__(self) -> "Chart":
        self._style.__enter__()
        self._figure = Figure(figsize=(4.7, self._height))
        self.axes: Axes = self._figure.add_subplot()
        self.axes.set(**self._labels)
        self.axes.grid(axis="y", linewidth=0.7)
        return self

    def __exit__(self, *error):
        if error[0] is None:
            drawn = io.StringIO()
            with warnings.catch_warnings():  # the text stays text: the browser finds a font with the glyphs
                warnings.filterwarnings("ignore", r"(Glyph \d+ .*missing from|Matplotlib currently does not support)")
                self._figure.savefig(drawn, format="svg",
                                     metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
            self._svg = drawn.getvalue()
        self._style.__exit__(*error)

    def html(self, alt: str) -> Html:
        """Returns the drawn chart as a `<figure>`; `alt` is what a person who cannot see it is told."""
        svg = self._svg[self._svg.index("<svg"):]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self._name}-", svg.replace("xlink:href", "href"))
        for color, variable in _VARIABLES.items():
            svg = svg.replace(color, f"var({variable})")
        box = re.search(r'viewBox="[^"]*"', svg)[0]
        svg = re.sub(r"<svg[^>]*>", f'<svg {box} role="img" aria-label="{escape(alt)}">', svg, count=1)
        return Html(f'<figure class="chart">{svg}</figure>')


POINTS = 800
SMOOTHNESS = 60


def curves(run: TrainingRun) -> list[Html]:
    """Draws loss, accuracy, retrieval of unseen landmarks, learning rate and speed over the optimiser steps, as far as the
    history has them.

    Loss and accuracy are drawn as logged (pale) and smoothed; where there was a validation, its values are dots. A
    history of more than `POINTS` lines is drawn as the means of so many groups.
    """
    charts = [
        _curve(run, "loss", "Loss", "cross-entropy (nats)", smooth=True),
        _curve(run, "accuracy", "Accuracy", "photographs recognised (%)", scale=100, smooth=True),
        _retrieval(run),
        _curve(run, "learning_rate", "Learning rate", "step size"),
        _curve(run, "images_per_second", "Speed", "photographs per second"),
    ]
    return [chart for chart in charts if chart]


def smoothed(values: Sequence[float], width: float) -> np.ndarray:
    """Returns the mean of each value's neighbours on both sides, weighted by a Gaussian; at the ends there are fewer.

    Args:
        values: [N], finite.
        width: Standard deviation of the Gaussian, in values.
    """
    reach = min(math.ceil(3 * width), len(values) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-9)) ** 2)
    total, weight = (np.convolve(series, weights)[reach:reach + len(values)]
                     for series in (values, np.ones(len(values))))
    return total / weight


def _curve(run: TrainingRun, key: str, title: str, unit: str, scale: float = 1, smooth: bool = False) -> Html | None:
    steps, values = _series(run.training, key, scale)
    validation_steps, validation = _series(run.validation, f"validation_{key}", scale)
    if len(values) + len(validation) == 0:
        return None
    with Chart(key.replace("_", "-"), title, "optimiser step", unit) as chart:
        if len(values):
            pale = {"alpha": 0.3, "linewidth": 1} if smooth else {}
            steps, means = _group_means(steps), _group_means(values)
            chart.axes.plot(steps, means, color=SERIES[0], **pale)
            if smooth:
                trend = smoothed(means, len(means) / SMOOTHNESS)
                chart.axes.plot(steps, trend, color=SERIES[0], label="training, smoothed")
        if len(validation):
            chart.axes.plot(validation_steps, validation, "o-", color=SERIES[1], markersize=4.5, label="validation")
        chart.axes.set_ylim(bottom=0, top=max([*values, *validation, 1e-12]) * 1.05)
        if chart.axes.get_legend_handles_labels()[0]:
            chart.axes.legend(labelcolor=MUTED)
    ends = [f"{name} from {series[0]:.3g} to {series[-1]:.3g}"
            for name, series in (("training", values), ("validation", validation)) if len(series)]
    return chart.html(f"{title}, {unit}: {', '.join(ends)}")


def _retrieval(run: TrainingRun) -> Html | None:
    """Draws the figures on unseen landmarks at the start and after each epoch; a ring marks the kept checkpoint."""
    names = {"retrieval_map": "mAP", "retrieval_mp5": "mP@5", "retrieval_recall1": "recall@1"}
    series = {label: _series(run.retrieval, key, 100) for key, label in names.items()}
    if not len(series["mAP"][0]):
        return None
    kept = run.selection.get("kept")
    with Chart("retrieval", "Retrieval of landmarks that training does not see", "optimiser step", "per cent") as chart:
        for (label, (steps, values)), color in zip(series.items(), SERIES[1:], strict=False):
            chart.axes.plot(steps, values, "o-", color=color, markersize=4.5, label=label)
        if kept:
            chart.axes.plot([kept["step"]], [100 * kept["retrieval_map"]], "o", color=INK, markersize=10, fillstyle="none",
                            label="kept")
        chart.axes.set_ylim(bottom=0, top=105)
        chart.axes.legend(labelcolor=MUTED)
    values = series["mAP"][1]
    which = f"; kept: step {kept['step']}{run.interpolation}" if kept else ""
    return chart.html(f"Retrieval of unseen landmarks: mAP from {values[0]:.3g} to {values[-1]:.3g} per cent{which}")


def _group_means(values: np.ndarray) -> np.ndarray:
    return np.array([group.mean() for group in np.array_split(values, min(POINTS, len(values)))])


def _series(lines: list[dict], key: str, scale: float) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(line["step"], scale * line[key]) for line in lines
             if isinstance(line.get(key), int | float) and math.isfinite(line[key])]
    steps, values = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(steps, dtype=float), np.array(values, dtype=float)


NAMED = 40


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
    short = [shortened(name, 28) for name in names]
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


def confusion_chart(counts: np.ndarray, names: Sequence[str]) -> Html:
    """Draws a confusion matrix, each row as parts of its landmark's photographs.

    Args:
        counts: int [K, K], row true class, column predicted class.
        names: Names of the K classes; written beside the rows up to `NAMED` of them.
    """
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with Chart("confusion", "Confusion", "recognised as (number of the landmark)", "", height=4.6) as chart:
        chart.axes.imshow(parts, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        chart.axes.grid(visible=False)
        if len(names) <= NAMED:
            labels = [f"{shortened(name, 24)}  {number}" for number, name in enumerate(names)]
            chart.axes.set_yticks(range(len(names)), labels, fontsize=6)
    right = np.trace(counts) / max(counts.sum(), 1)
    return chart.html(f"Confusion matrix of {len(names)} landmarks; {100 * right:.1f} % on the diagonal")
