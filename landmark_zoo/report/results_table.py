"""The systems and their scores."""

import re

from landmark_zoo.report.percent import interval, percent
from landmark_zoo.report.result import Result
from landmark_zoo.report.table import Html, table

HEADLINE = re.compile(r"mAP(@\d+|/\w+)?|P@(1|10)|mP@10/Medium")


def results_table(group: list[Result]) -> Html:
    """Returns one row per system with the metrics that the benchmark is known by, or with all where none is.

    Args:
        group: Results of one benchmark and protocol.

    Returns:
        A table in percent with 95 % intervals, the best of several systems bold.
    """
    names = metric_names(group)
    names = [name for name in names if HEADLINE.fullmatch(name)] or names
    header = ["System", *(f"{name} (%)" for name in names), "Queries"]
    return table(header, [[result.name, *(score(result, name, group) for name in names), f"{result.queries_used:,}"]
                          for result in group])


def metric_names(group: list[Result]) -> list[str]:
    """Returns the metrics that any of the results has, in the order in which they appear."""
    return list(dict.fromkeys(name for result in group for name in result.metrics))


def score(result: Result, name: str, group: list[Result]) -> Html | str:
    """Returns a metric with its interval, bold where it is the best of a group of several."""
    measure = result.metrics.get(name)
    if measure is None or measure.value is None:
        return "–"
    values = [other.metrics[name].value for other in group if name in other.metrics]
    best = len(group) > 1 and measure.value == max(value for value in values if value is not None)
    number = f"<b>{percent(measure.value)}</b>" if best else percent(measure.value)
    return Html(f"{number} <small>{interval(measure)}</small>")
