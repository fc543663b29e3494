"""When the photographs were taken."""

import calendar

import numpy as np
from matplotlib.ticker import MaxNLocator

from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.figure import SERIES, Chart
from landmark_zoo.report.table import Html


def dates(table: np.ndarray) -> Html:
    """Draws years and months, and says what is seen; nothing where no photograph has a date.

    Args:
        table: `MEASURES` [N] of readable photographs.
    """
    dated = table[table["year"] > 0]
    if not len(dated):
        return Html("")
    years = np.bincount(dated["year"])
    months = np.bincount(dated["month"], minlength=13)[1:]
    first, last, most = int(np.flatnonzero(years)[0]), len(years) - 1, int(years.argmax())
    have = "has" if len(dated) == 1 else "have"
    text = (f"{counted(len(dated), 'photograph').capitalize()} ({share(len(dated), len(table))}) {have} a date, from "
            f"{first} to {last}. Most are of {most}, and of {calendar.month_name[int(months.argmax()) + 1]}.")
    charts = "".join(f"<div>{chart}</div>" for chart in (_years(first, years[first:]), _months(months)))
    return Html(f'<h3>Dates</h3><p>{text}</p><div class="pair">{charts}</div>')


def _years(first: int, counts: np.ndarray) -> Html:
    with Chart("years", "Years", "", "photographs", height=2.6) as chart:
        _bars(chart, first, counts)
        chart.axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return chart.html(f"Photographs by year from {first}: {', '.join(map(str, counts))}")


def _months(counts: np.ndarray) -> Html:
    with Chart("months", "Months", "", "photographs", height=2.6) as chart:
        _bars(chart, 1, counts)
        chart.axes.set_xticks(range(1, 13), calendar.month_abbr[1:])
    return chart.html(f"Photographs by month from January: {', '.join(map(str, counts))}")


def _bars(chart: Chart, first: int, counts: np.ndarray) -> None:
    chart.axes.bar(range(first, first + len(counts)), counts, color=SERIES[0], width=0.8)
    chart.axes.yaxis.set_major_formatter("{x:,.0f}")
