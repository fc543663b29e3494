"""Sections of a report: tables and charts of scores, protocol cards, versions."""

import re
from html import escape
from typing import Any

from landmark_zoo.evaluation.comparison import Comparison, signed
from landmark_zoo.evaluation.results import Measure, Results, by_benchmark
from landmark_zoo.report.charts import INK, MUTED, SERIES, Chart
from landmark_zoo.report.html import Html, interval, percent, shortened, table
from landmark_zoo.report.training_run import unfolded

HEADLINE = re.compile(r"mAP(@\d+|/\w+)?|c?P@(1|10)|mP@10/Medium")


def results_table(group: list[Results]) -> Html:
    """Returns one row per system with the metrics that the benchmark is known by, or with all where none is.

    Args:
        group: Results of one benchmark and protocol.

    Returns:
        A table in percent with 95 % intervals, the best of several systems bold.
    """
    names = metric_names(group)
    names = [name for name in names if HEADLINE.fullmatch(name)] or names
    header = ["System", *(f"{name} (%)" for name in names), "Queries"]
    return table(header, [[result.name, *(score(result, name, group) for name in names), f"{result.card.queries_used:,}"]
                          for result in group])


def metric_names(group: list[Results]) -> list[str]:
    """Returns the metrics that any of the results has, in the order in which they appear."""
    return list(dict.fromkeys(name for result in group for name in result.metrics))


def score(result: Results, name: str, group: list[Results]) -> Html | str:
    """Returns a metric with its interval, bold where it is the best of a group of several."""
    measure = result.metrics.get(name)
    if measure is None or measure.value is None:
        return "–"
    values = [other.metrics[name].value for other in group if name in other.metrics]
    best = len(group) > 1 and measure.value == max(value for value in values if value is not None)
    number = f"<b>{percent(measure.value)}</b>" if best else percent(measure.value)
    return Html(f"{number} <small>{interval(measure)}</small>")


def metrics_table(group: list[Results]) -> Html:
    """Returns one row per metric and one column per system of a benchmark, as in `results_table`."""
    header = ["Metric (%)", *(result.name for result in group)]
    return table(header, [[name, *(score(result, name, group) for result in group)] for name in metric_names(group)])


def difference_table(results: list[Results]) -> Html | str:
    """Returns a table of paired differences of mean average precision, or nothing where there are none."""
    *earlier, last = results
    rows = []
    for result in earlier:
        difference = Comparison.between(result, last)
        if difference:
            rows.append([result.name, signed(difference.value),
                         f"{signed(difference.low)} to {signed(difference.high)}",
                         "yes" if difference.clear else "no, zero is inside", f"{len(difference.queries):,}"])
    header = [f"“{last.name}” against", "Points of mAP", "95 % interval", "Clear", "Shared queries"]
    return table(header, rows) if rows else ""


HALF = 0.18


def score_charts(group: list[Results], number: int = 0) -> list[Html]:
    """Draws the main metric of a benchmark's systems with intervals, and the spread over the queries.

    Args:
        group: Results of one benchmark and protocol.
        number: Number of the benchmark within the page.
    """
    return [_bars(f"bars{number}", group), _spread(f"spread{number}", group)]


def _bars(name: str, group: list[Results]) -> Html:
    metric = group[-1].main_metric
    measures = [result.metrics.get(metric) for result in group]
    drawn = [(number, measure) for number, measure in enumerate(measures) if measure and measure.value is not None]
    with Chart(name, f"{metric} on {group[0].card.benchmark}", f"{metric} (%), with 95 % interval", "",
               height=max(1.9, 0.95 + 0.55 * len(group))) as chart:
        for number, measure in drawn:
            value = 100 * measure.value
            chart.axes.barh(number, value, color=_color(number), height=2 * HALF)
            chart.axes.annotate(shortened(group[number].name, 36), (0, number - HALF), xytext=(0, 3),
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


def _spread(name: str, group: list[Results]) -> Html:
    with Chart(name, "Average precision of every query", "queries, worst first (%)", "average precision (%)",
               height=max(2.4, 0.95 + 0.55 * len(group))) as chart:
        for number, result in enumerate(group):
            values = sorted(100 * value for value in result.average_precision.values())
            places = [100 * (place + 0.5) / len(values) for place in range(len(values))]
            chart.axes.plot(places, values, color=_color(number), label=shortened(result.name, 36))
        chart.axes.set(xlim=(0, 100), ylim=(0, 102))
        chart.axes.legend(labelcolor=MUTED)
    return chart.html("Average precision of every query, sorted: a higher line is better")


def _color(number: int) -> str:
    return SERIES[number % len(SERIES)]


HINT = ('<p class="hint">Mean average precision (mAP) is 100 % where, for every query, all positives come before '
        "everything else; P@k is the share of right pictures among the first k, cP@k the same divided by what the query "
        "can reach where it has fewer than k positives. Small print: 95 % interval, by a "
        "bootstrap over the queries. Bold: the best.</p>")


def scores(results: list[Results]) -> Html:
    """Returns, for each benchmark, the tables and figures of its systems."""
    groups = by_benchmark(results)
    parts = []
    for number, group in enumerate(groups):
        name = f"<h3>{escape(group[0].card.benchmark)}, {escape(group[0].card.protocol)}</h3>" if len(groups) > 1 else ""
        charts = "".join(f"<div>{chart}</div>" for chart in score_charts(group, number))
        all_shown = all(map(HEADLINE.fullmatch, metric_names(group)))
        more = "" if all_shown else f"<h3>All metrics</h3>{metrics_table(group)}"
        parts.append(f'{name}{results_table(group)}{HINT if number == 0 else ""}{difference_table(group)}'
                     f'<div class="pair">{charts}</div>{more}')
    return Html("".join(parts))


def key_figures(results: list[Results]) -> Html:
    """Returns tiles: the last system's scores, what it gained on the first, and on how much they stand."""
    last = results[-1]
    first = next(result for result in results if result.comparable(last))
    tiles = [_score(last.main, last.main_metric)]
    if last.first_right:
        tiles.append(_score(last.first_right, "of first answers are right"))
    difference = Comparison.between(first, last) if first is not last else None
    if difference:
        tiles.append((signed(difference.value), f"points against {first.name}" + ", not clear" * (not difference.clear),
                      f"95 % interval {signed(difference.low)} to {signed(difference.high)}"))
    tiles.append((f"{last.card.queries_used:,}", f"queries of {last.card.benchmark}",
                  f"{last.card.queries_ignored:,} more ignored"))
    return Html('<div class="tiles">' + "".join(
        f"<div><strong>{escape(number)}</strong><span>{escape(what)}</span><small>{escape(more)}</small></div>"
        for number, what, more in tiles) + "</div>")


def _score(measure: Measure, what: str) -> tuple[str, str, str]:
    span = interval(measure)
    return f"{percent(measure.value)} %", what, f"95 % interval {span}" if span else ""


VERSIONS = "versions."
SYSTEM = ("model_name", "model_fingerprint", "training_data", "git_commit")
ABSENT = "–"


def card_table(results: list[Results]) -> Html:
    """Returns the protocol cards beside each other; rows in which systems differ are marked."""
    cards = [unfolded(result.card.to_dict()) for result in results]
    keys = [key for key in _keys(cards) if not f"{key}.".startswith(VERSIONS)]
    rows = [[key.replace("_", " "), *(_value(card.get(key, ABSENT)) for card in cards)] for key in keys]
    return table(["", *(result.name for result in results)], rows, [_differs(key, cards) for key in keys])


def versions_table(results: list[Results], page_versions: dict[str, str]) -> Html:
    """Returns the versions that each result, and this page, were made with; rows in which they differ are marked."""
    columns = [{key: value for key, value in unfolded(result.card.to_dict()).items() if key.startswith(VERSIONS)}
               for result in results] + [{f"{VERSIONS}{name}": version for name, version in page_versions.items()}]
    header, columns = zip(*[(name, column) for name, column in zip([*(result.name for result in results), "this page"],
                                                                 columns, strict=True) if column], strict=True)
    keys = _keys(columns)
    return table(["", *header], [[key.removeprefix(VERSIONS), *(column.get(key, ABSENT) for column in columns)]
                                 for key in keys], [_differs(key, columns) for key in keys])


def unlike(before: Results, after: Results) -> list[str]:
    """Returns the conditions in which two cards differ, those left out that say which system was measured, and when."""
    cards = [unfolded(before.card.to_dict()), unfolded(after.card.to_dict())]
    return [key for key in _keys(cards)
            if _differs(key, cards) and key not in SYSTEM and not key.startswith(VERSIONS)]


def _keys(cards: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for card in cards for key in card))


def _differs(key: str, cards: list[dict[str, Any]]) -> bool:
    return any(card.get(key, ABSENT) != cards[0].get(key, ABSENT) for card in cards[1:])


def _value(value: Any) -> str:
    """Shortens checksums; lists are joined."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ABSENT if value is None else str(value)
    return f"{text[:12]}…" if re.fullmatch(r"[0-9a-f]{32,}", text) else text
