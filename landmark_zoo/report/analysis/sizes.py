"""How large the photographs are, and how wide for their height."""

import numpy as np

from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.figure import SERIES, Chart
from landmark_zoo.report.table import Html

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
    return Html(f'<p>{_sentence(long, ratio)}</p><div class="pair"><div>{_longer_side(long)}</div>'
                f"<div>{_aspect_ratio(ratio)}</div></div>")


def _sentence(long: np.ndarray, ratio: np.ndarray) -> str:
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
