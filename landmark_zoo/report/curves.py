"""How training went."""

import math
from collections.abc import Sequence

import numpy as np

from landmark_zoo.report.figure import MUTED, SERIES, Chart
from landmark_zoo.report.table import Html
from landmark_zoo.report.training_run import TrainingRun

POINTS = 800
SMOOTHNESS = 60


def curves(run: TrainingRun) -> list[Html]:
    """Draws loss, accuracy, learning rate and speed over the optimiser steps, as far as the history has them.

    Loss and accuracy are drawn as logged (pale) and smoothed; where there was a validation, its values are dots. A
    history of more than `POINTS` lines is drawn as the means of so many groups.
    """
    charts = [
        _curve(run, "loss", "Loss", "cross-entropy (nats)", smooth=True),
        _curve(run, "accuracy", "Accuracy", "photographs recognised (%)", scale=100, smooth=True),
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


def _group_means(values: np.ndarray) -> np.ndarray:
    return np.array([group.mean() for group in np.array_split(values, min(POINTS, len(values)))])


def _series(lines: list[dict], key: str, scale: float) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(line["step"], scale * line[key]) for line in lines
             if isinstance(line.get(key), int | float) and math.isfinite(line[key])]
    steps, values = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(steps, dtype=float), np.array(values, dtype=float)
