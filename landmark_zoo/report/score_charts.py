"""Scores as figures."""

from landmark_zoo.report.figure import INK, MUTED, SERIES, Chart
from landmark_zoo.report.percent import percent
from landmark_zoo.report.result import Result
from landmark_zoo.report.table import Html

LETTERS = 36
HALF = 0.18


def score_charts(group: list[Result], number: int = 0) -> list[Html]:
    """Draws the main metric of a benchmark's systems with intervals, and the spread over the queries.

    Args:
        group: Results of one benchmark and protocol.
        number: Of the benchmark within the page.
    """
    return [_bars(f"bars{number}", group), _spread(f"spread{number}", group)]


def _bars(name: str, group: list[Result]) -> Html:
    metric = group[-1].main_metric
    measures = [result.metrics.get(metric) for result in group]
    drawn = [(number, measure) for number, measure in enumerate(measures) if measure and measure.value is not None]
    with Chart(name, f"{metric} on {group[0].benchmark}", f"{metric} (%), with 95 % interval", "",
               height=max(1.9, 0.95 + 0.55 * len(group))) as chart:
        for number, measure in drawn:
            value = 100 * measure.value
            chart.axes.barh(number, value, color=_colour(number), height=2 * HALF)
            chart.axes.annotate(_short(group[number].name), (0, number - HALF), xytext=(0, 3),
                                textcoords="offset points")
            end = value
            if measure.low is not None and measure.high is not None:
                end = 100 * measure.high
                chart.axes.hlines(number, 100 * measure.low, end, color=INK, linewidth=1.6)
            chart.axes.annotate(f"{value:.1f}", (end, number), xytext=(5, 0), textcoords="offset points", va="center")
        chart.axes.set_yticks([])
        chart.axes.set_ylim(len(group) - 0.6, -0.8)
        chart.axes.set_xlim(0, 112)
        chart.axes.set_xticks(range(0, 101, 20))
        chart.axes.grid(axis="x", linewidth=0.7)
    return chart.html(f"{metric} in percent: " + ", ".join(f"{group[number].name} {percent(measure.value)}"
                                                          for number, measure in drawn))


def _spread(name: str, group: list[Result]) -> Html:
    with Chart(name, "Average precision of every query", "queries, worst first (%)", "average precision (%)",
               height=max(2.4, 0.95 + 0.55 * len(group))) as chart:
        for number, result in enumerate(group):
            values = sorted(100 * value for value in result.average_precision.values())
            places = [100 * (place + 0.5) / len(values) for place in range(len(values))]
            chart.axes.plot(places, values, color=_colour(number), label=_short(result.name))
        chart.axes.set(xlim=(0, 100), ylim=(0, 102))
        chart.axes.legend(labelcolor=MUTED)
    return chart.html("Average precision of every query, sorted: a higher line is better")


def _colour(number: int) -> str:
    return SERIES[number % len(SERIES)]


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[:LETTERS - 1]}…"
