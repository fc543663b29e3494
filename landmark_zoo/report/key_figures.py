"""The few numbers that stand at the top of the page."""

from html import escape

from landmark_zoo.report.difference import paired_difference, signed
from landmark_zoo.report.percent import interval, percent
from landmark_zoo.report.result import Measure, Result
from landmark_zoo.report.table import Html


def key_figures(results: list[Result]) -> Html:
    """Returns tiles: the last system's scores, what it gained on the first, and on how much they stand."""
    last = results[-1]
    first = next(result for result in results if result.comparable(last))
    tiles = [_score(last.main, last.main_metric)]
    if last.first_right:
        tiles.append(_score(last.first_right, "of first answers are right"))
    difference = paired_difference(first, last) if first is not last else None
    if difference:
        tiles.append((signed(difference.value), f"points against {first.name}" + ", not clear" * (not difference.clear),
                      f"95 % interval {signed(difference.low)} to {signed(difference.high)}"))
    tiles.append((f"{last.queries_used:,}", f"queries of {last.benchmark}", f"{last.queries_ignored:,} more ignored"))
    return Html('<div class="tiles">' + "".join(
        f"<div><strong>{escape(number)}</strong><span>{escape(what)}</span><small>{escape(more)}</small></div>"
        for number, what, more in tiles) + "</div>")


def _score(measure: Measure, what: str) -> tuple[str, str, str]:
    span = interval(measure)
    return f"{percent(measure.value)} %", what, f"95 % interval {span}" if span else ""
