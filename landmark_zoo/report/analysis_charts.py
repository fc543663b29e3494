"""Sections of the page on a data set: images per landmark, sizes, dates, places, countries."""

import calendar
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from landmark_zoo.data.analysis.findings import ClassBalance
from landmark_zoo.report.charts import LINE, SERIES, Chart
from landmark_zoo.report.html import Html, counted, readable_name, share, shortened, table

NAMED = 50
FEW = 10
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
_POINTS = 400


def landmarks(balance: ClassBalance) -> Html:
    """Draws head and tail, unless there are none, and the `NAMED` most photographed landmarks, and says what is seen."""
    if not len(balance.counts):
        return Html("<p>No landmarks are named.</p>")
    spread = f"{_head_and_tail(balance.counts)}{_by_size(balance)}"
    curve = "" if _even(balance.counts) else f"<div>{spread}</div>"
    return Html(f'<p>{_sentence(balance)}</p><div class="pair">{curve}<div>{_most_photographed(balance)}</div></div>')


def _even(counts: np.ndarray) -> bool:
    return counts[0] < 1.5 * counts[-1]


def _sentence(balance: ClassBalance) -> str:
    counts = balance.counts
    total = int(counts.sum())
    if counts[0] == counts[-1]:
        return f"{counted(len(counts), 'landmark')} with {counted(int(counts[0]), 'photograph')} each."
    if _even(counts):
        return (f"{counted(len(counts), 'landmark')} with {counts[-1]:,} to {counts[0]:,} photographs each: all are covered "
                "about equally well, there is no long tail.")
    text = (f"The most photographed landmark has {counts[0]:,} photographs, the least {counts[-1]:,}, the one in the middle "
            f"{np.median(counts):,.0f}. Half of all {total:,} photographs show {counted(balance.head, 'landmark')} "
            f"({share(balance.head, len(counts))} of {len(counts):,}).")
    if not balance.at_most(FEW):
        return text
    return (f"{text} {counted(balance.at_most(1), 'landmark').capitalize()} have a single photograph, "
            f"{counted(balance.at_most(FEW), 'landmark')} at most {FEW}.")


def _head_and_tail(counts: np.ndarray) -> Html:
    ranks = np.unique(np.geomspace(1, len(counts), _POINTS).round().astype(int))
    with Chart("head-tail", "From head to tail", "rank of the landmark", "photographs", height=3.2) as chart:
        chart.axes.fill_between(ranks, counts[ranks - 1], 0.5, color=SERIES[0], alpha=0.2, linewidth=0)
        chart.axes.plot(ranks, counts[ranks - 1], color=SERIES[0], marker="o" if len(counts) < NAMED else None, markersize=3)
        chart.axes.set(xscale="log", yscale="log", ylim=(0.7, 1.6 * counts[0]), xlim=(0.9, 1.1 * len(counts)))
        chart.axes.xaxis.set_major_formatter("{x:,.0f}")
        chart.axes.yaxis.set_major_formatter("{x:,.0f}")
        chart.axes.minorticks_off()
    return chart.html(f"Photographs of {len(counts):,} landmarks by rank, logarithmic axes: {counts[0]:,} to {counts[-1]:,}")


def _by_size(balance: ClassBalance) -> Html:
    rows, below = [], 0
    for most in (*STEPS, int(balance.counts[0])):
        number = balance.at_most(most) - balance.at_most(below)
        if number:
            rows.append((f"{most:,}" if most == below + 1 else f"{below + 1:,} to {most:,}", f"{number:,}",
                         share(number, len(balance.counts))))
        below = most
    return table(["Photographs", "Landmarks", "Share"], rows)


def _most_photographed(balance: ClassBalance) -> Html:
    counts, names = balance.counts[:NAMED], balance.landmarks[:NAMED]
    title = f"The {NAMED} most photographed" if len(balance.counts) > NAMED else "All landmarks"
    with Chart("top", title, "photographs", "", height=0.8 + 0.135 * len(counts)) as chart:
        chart.axes.barh(range(len(counts)), counts, color=SERIES[0], height=0.72)
        chart.axes.set_yticks(range(len(counts)), [_short(name) for name in names], fontsize=7)
        chart.axes.invert_yaxis()
        chart.axes.margins(y=0.01)
        chart.axes.tick_params(axis="y", length=0)
        chart.axes.grid(axis="y", visible=False)
        chart.axes.grid(axis="x", linewidth=0.7)
        chart.axes.xaxis.set_major_formatter("{x:,.0f}")
    first = ", ".join(f"{name} {count:,}" for name, count in zip(names[:5], counts, strict=False))
    return chart.html(f"{title}, photographs: {first}")


def _short(landmark: str) -> str:
    return shortened(readable_name(landmark)[::-1], 26)[::-1]  # names of one place begin alike


RATIOS = {"1:3": 1 / 3, "9:16": 9 / 16, "3:4": 3 / 4, "1:1": 1, "4:3": 4 / 3, "16:9": 16 / 9, "3:1": 3}
SQUARE = 1.05
EXTREME = 3.0


def sizes(table: np.ndarray) -> Html:
    """Draws longer sides and aspect ratios, and says what is seen.

    Args:
        table: `MEASURES` [N] of readable photographs.
    """
    long = np.maximum(table["height"], table["width"])
    ratio = table["width"] / table["height"]
    return Html(f'<p>{_describe_sizes(long, ratio)}</p><div class="pair"><div>{_longer_side(long)}</div>'
                f"<div>{_aspect_ratio(ratio)}</div></div>")


def _describe_sizes(long: np.ndarray, ratio: np.ndarray) -> str:
    total = len(long)
    values, counts = np.unique(long, return_counts=True)
    commonest, often = int(values[counts.argmax()]), int(counts.max())
    text = f"Longer sides go from {long.min():,} to {long.max():,} pixels, {np.median(long):,.0f} in the middle."
    if often > total / 4 and len(values) > 1:
        text += f" {share(often, total)} have exactly {commonest:,}, probably shrunk to that."
    wide, tall = int((ratio > SQUARE).sum()), int((ratio < 1 / SQUARE).sum())
    text += (f" {share(wide, total)} are landscape, {share(tall, total)} portrait, {share(total - wide - tall, total)} "
             "square.")
    extreme = int((np.maximum(ratio, 1 / ratio) > EXTREME).sum())
    if extreme:
        text += f" {extreme:,} {'is' if extreme == 1 else 'are'} more than {EXTREME:.0f} times as long as wide."
    return text


def _longer_side(long: np.ndarray) -> Html:
    with Chart("longer-side", "Longer side", "pixels", "photographs") as chart:
        chart.axes.hist(long, bins=40, color=SERIES[0])
        chart.axes.xaxis.set_major_formatter("{x:,.0f}")
        chart.axes.yaxis.set_major_formatter("{x:,.0f}")
    return chart.html(f"Longer sides from {long.min():,} to {long.max():,} pixels")


def _aspect_ratio(ratio: np.ndarray) -> Html:
    shown = np.clip(ratio, 1 / EXTREME, EXTREME)
    with Chart("ratio", "Width to height", "portrait – landscape", "photographs") as chart:
        chart.axes.hist(shown, bins=np.geomspace(1 / EXTREME, EXTREME, 61), color=SERIES[2])
        chart.axes.set_xscale("log")
        chart.axes.set_xticks(list(RATIOS.values()), list(RATIOS), fontsize=7.5)
        chart.axes.minorticks_off()
        chart.axes.yaxis.set_major_formatter("{x:,.0f}")
    return chart.html(f"Aspect ratios, width to height, from {ratio.min():.2f} to {ratio.max():.2f}")


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


_CELL = 0.5
_LONGITUDES, _LATITUDES = range(-180, 181, 30), range(-90, 91, 30)


def places(measures: np.ndarray) -> Html:
    """Draws the places on a map of meridians and parallels, and says what is seen; nothing where there are none.

    Args:
        measures: `MEASURES` [N] of readable photographs.
    """
    placed = measures[np.isfinite(measures["latitude"])]
    if not len(placed):
        return Html("")
    cells = np.stack([placed["longitude"], placed["latitude"]], axis=1) // _CELL * _CELL + _CELL / 2
    spots, counts = np.unique(cells, axis=0, return_counts=True)
    have, are = "has" if len(placed) == 1 else "have", "is" if len(spots) == 1 else "are"
    text = (f"{counted(len(placed), 'photograph').capitalize()} ({share(len(placed), len(measures))}) {have} a place. A dot "
            f"gathers what lies within half a degree; there {are} {len(spots):,}, and the fullest holds {counts.max():,}.")
    with Chart("map", "Places", "degrees east", "degrees north", height=2.9) as chart:
        chart.axes.set(xlim=(-180, 180), ylim=(-90, 90), xticks=_LONGITUDES, yticks=_LATITUDES, aspect="equal")
        chart.axes.grid(visible=True, color=LINE, linewidth=0.7)
        chart.axes.scatter(spots[:, 0], spots[:, 1], s=8 + 12 * np.log10(counts), color=SERIES[1], alpha=0.7, linewidth=0)
        chart.axes.tick_params(labelsize=7)
    return Html(f"<h3>Places</h3><p>{text}</p>{chart.html(f'Map of {len(placed):,} photographs')}")


SHOWN = 15


def countries(found: Sequence[str]) -> Html:
    """Lists the countries with the most photographs; nothing where none is named.

    Args:
        found: Country of each image, "" where unknown; empty where no table names any.
    """
    counts = Counter(filter(None, found))
    if not counts:
        return Html("")
    known = sum(counts.values())
    text = (f"{counted(len(counts), 'country', 'countries').capitalize()} {'is' if len(counts) == 1 else 'are'} named, for "
            f"{share(known, len(found))} of the photographs.")
    rows = [(name, f"{count:,}", share(count, known)) for name, count in
            sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]]
    return Html(f"<h3>Countries</h3><p>{text}</p>{table(['Country', 'Photographs', 'Share'], rows)}")


def when_and_where(measures: np.ndarray, found: Sequence[str]) -> Html:
    """Puts dates, places and countries together, with a sentence on what is not known.

    Args:
        measures: `MEASURES` [N] of readable photographs.
        found: The country of each photograph, "" where unknown; empty where no table names any.
    """
    shown = {"No photograph carries a date in its EXIF.": dates(measures),
             "No photograph carries a place in its EXIF.": places(measures),
             "No table beside the data names countries.": countries(found)}
    absent = " ".join(sentence for sentence, part in shown.items() if not part)
    return Html("".join(shown.values()) + (f"<p>{absent}</p>" if absent else ""))
