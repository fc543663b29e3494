"""Photographs that do not go with their landmark."""

from collections.abc import Callable

import numpy as np

from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.data.analysis.judged import Judged
from landmark_zoo.data.analysis.label_noise import NEIGHBOURS
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.picture_sheet import picture_sheet
from landmark_zoo.report.analysis.readable_name import readable_name
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.table import Html

STRANGEST = 54
DISPUTED = 27
CLEAR = 0.9


def noise(findings: Findings) -> Html:
    """Shows the photographs that are least like their own landmark and those that look like another one."""
    judged = findings.judged
    if judged is None:
        return Html("<p>Not looked at: that needs <code>--savedmodel</code> or <code>--embeddings</code>.</p>")
    alone = int(np.isnan(judged.noise.strangeness).sum())
    left_out = f" {counted(alone, 'photograph').capitalize()} could not be judged, alone of a landmark." if alone else ""
    return Html(f'<p class="hint">Each photograph was compared by its embedding with all others of the '
                f"{len(findings.balance.counts):,} landmarks. A high place is a doubt, not a verdict: it says what to look "
                f"at first.{left_out}</p>{_strange(findings, judged)}{_disputed(findings, judged)}")


def _strange(findings: Findings, judged: Judged) -> str:
    return ("<h3>Least like their own landmark</h3><p>What is no ordinary photograph of the landmark comes first: clip-art, "
            "maps, models, collages, but also sunsets, close-ups and views from inside. Below stands the mean similarity to "
            f"the {NEIGHBOURS} photographs of the same landmark that are most like it.</p>"
            f"{_sheet(findings, judged, judged.strangest()[:STRANGEST], _own)}")


def _disputed(findings: Findings, judged: Judged) -> str:
    clear = int((judged.noise.disagreement >= CLEAR).sum())
    return (f"<h3>More like another landmark</h3><p>{counted(clear, 'photograph').capitalize()} "
            f"({share(clear, len(judged.numbers))}): of the {NEIGHBOURS} photographs most like it, "
            f"{CLEAR * NEIGHBOURS:.0f} or more show other landmarks. Wrong labels, or landmarks that look alike. Below "
            "stands the landmark that most of those show.</p>"
            f"{_sheet(findings, judged, judged.most_disputed()[:DISPUTED], _other)}")


def _sheet(findings: Findings, judged: Judged, places: np.ndarray,
           words: Callable[[Judged, int], str]) -> Html:
    collection, numbers = findings.collection, judged.numbers
    return picture_sheet(collection, (
        (int(numbers[place]), readable_name(collection.landmark(numbers[place])) + words(judged, place))
        for place in places))


def _own(judged: Judged, place: int) -> str:
    return f", {1 - judged.noise.strangeness[place]:.2f}"


def _other(judged: Judged, place: int) -> str:
    return f" → {readable_name(judged.landmarks[judged.noise.likelier[place]])}"
