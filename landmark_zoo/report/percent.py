"""Fractions as people read them."""

from landmark_zoo.report.result import Measure


def percent(value: float | None) -> str:
    """Returns a fraction in percent with one decimal: 0.7125 is "71.2"; None is a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(measure: Measure) -> str:
    """Returns a 95 % interval in percent, "68.0–74.1", or nothing where there is none."""
    return "" if measure.low is None or measure.high is None else f"{percent(measure.low)}–{percent(measure.high)}"
