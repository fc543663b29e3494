"""Photographs without colour."""

import numpy as np

from landmark_zoo.data.analysis.colour import is_grey, is_near_grey
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.picture_sheet import picture_sheet
from landmark_zoo.report.analysis.readable_name import readable_name
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.table import Html

SHOWN = 18


def colours(findings: Findings, random: np.random.Generator) -> Html:
    """Says how many photographs of the data are grey or almost grey, and shows some of both.

    Args:
        findings: What was found.
        random: Chooses where there are more than `SHOWN`.
    """
    collection = findings.collection
    table = collection.table[:collection.data_size]
    strongest, spread = table["strongest_colour"], table["colour_spread"]
    grey = np.flatnonzero(table["readable"] & is_grey(strongest))
    tinted = np.flatnonzero(table["readable"] & is_near_grey(strongest, spread))
    total = int(table["readable"].sum())
    text = (f"{counted(len(grey), 'photograph').capitalize()} of {total:,} ({share(len(grey), total)}) "
            f"{'is' if len(grey) == 1 else 'are'} grey, {len(tinted):,} more ({share(len(tinted), total)}) almost so: "
            "sepia, faded, one tint all over, or line drawings with a coloured mark.")
    return Html(f"<p>{text}</p>{_sheet('Grey', findings, grey, random)}{_sheet('Almost grey', findings, tinted, random)}")


def _sheet(title: str, findings: Findings, numbers: np.ndarray, random: np.random.Generator) -> str:
    if not len(numbers):
        return ""
    some = np.sort(random.choice(numbers, min(SHOWN, len(numbers)), replace=False))
    captioned = [(number, readable_name(findings.collection.landmark(number))) for number in some]
    more = f" ({SHOWN} of {len(numbers):,}, at random)" if len(numbers) > SHOWN else ""
    return f"<h3>{title}{more}</h3>{picture_sheet(findings.collection, captioned)}"
