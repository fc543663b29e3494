import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.report.curves import curves, smoothed


def test_four_charts_with_axes(run):
    charts = curves(run)
    for chart, title in zip(charts, ("Loss", "Accuracy", "Learning rate", "Speed"), strict=True):
        assert f">{title}<" in chart
    assert all("optimiser step" in chart for chart in charts)
    assert "training, smoothed" in charts[0]
    assert "validation" in charts[0]
    assert "training from 0.25 to 50, validation from 41.2 to 41.2" in charts[1]


def test_what_the_history_lacks_is_left_out(run):
    lines = [{"step": 1, "loss": 2.0}]
    assert len(curves(dataclasses.replace(run, training=lines, validation=[]))) == 1
    assert curves(dataclasses.replace(run, training=[], validation=[])) == []


def test_figures_that_are_not_finite_are_left_out(run):
    lines = [{"step": step, "loss": loss} for step, loss in enumerate([2.0, float("nan"), None, 1.0])]
    assert "training from 2 to 1" in curves(dataclasses.replace(run, training=lines, validation=[]))[0]


def test_a_long_history_is_drawn_as_means_of_groups(run):
    lines = [{"step": step, "loss": 1 + step % 7} for step in range(50_000)]
    assert len(curves(dataclasses.replace(run, training=lines, validation=[]))[0]) < 60_000


def test_smoothed_by_hand():
    weight = np.exp(-0.5)
    far = np.exp(-2.0)
    expected = [(0 + 3 * weight + 0 * far) / (1 + weight + far), 3 / (1 + 2 * weight), 3 * weight / (1 + weight + far)]
    np.testing.assert_allclose(smoothed([0, 3, 0], 1.0), expected)
    np.testing.assert_allclose(smoothed([1, 5, 2], 0), [1, 5, 2])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0, 10))
def test_smoothed_stays_within_its_values(values, width):
    means = smoothed(values, width)
    assert len(means) == len(values)
    assert min(values) - 1e-6 <= means.min() <= means.max() <= max(values) + 1e-6


def test_smoothing_keeps_a_straight_line_in_the_middle():
    line = np.arange(100.0)
    assert smoothed(line, 3)[20:80] == pytest.approx(line[20:80]), "no lag"
