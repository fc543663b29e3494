import pytest

from landmark_zoo.report.percent import interval, percent
from landmark_zoo.report.result import Measure


@pytest.mark.parametrize(("value", "text"), [(0.7125, "71.2"), (0.0, "0.0"), (1, "100.0"), (None, "–")])
def test_percent(value, text):
    assert percent(value) == text


def test_interval():
    assert interval(Measure(0.5, 0.4, 0.6)) == "40.0–60.0"
    assert interval(Measure(0.5, None, None)) == ""
