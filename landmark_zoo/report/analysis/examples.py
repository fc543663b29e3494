"""A random sheet for each landmark."""

import numpy as np

from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.picture_sheet import picture_groups
from landmark_zoo.report.analysis.readable_name import readable_name
from landmark_zoo.report.table import Html

LANDMARKS = 48
PICTURES = 6


def examples(findings: Findings, random: np.random.Generator) -> Html:
    """Shows `PICTURES` photographs of each landmark, or of `LANDMARKS` of them where there are more.

    Args:
        findings: What was found.
        random: Chooses photographs and landmarks.
    """
    collection, names = findings.collection, findings.balance.landmarks
    if not names:
        return Html("")
    chosen = sorted(random.choice(len(names), min(LANDMARKS, len(names)), replace=False).tolist())
    numbers: dict[str, list[int]] = {names[place]: [] for place in chosen}
    for number in range(collection.data_size):
        landmark = collection.landmark(number)
        if landmark in numbers and collection.readable[number]:
            numbers[landmark].append(number)
    groups = [(np.sort(random.choice(found, min(PICTURES, len(found)), replace=False)).tolist(),
               f"{readable_name(landmark)}, {counted(len(found), 'photograph')}")
              for landmark, found in numbers.items() if found]
    which = "each landmark" if len(chosen) == len(names) else f"{len(chosen)} of {len(names):,} landmarks, drawn at random"
    return Html(f'<p class="hint">Up to {PICTURES} photographs of {which}.</p>'
                f'<div class="examples">{picture_groups(collection, groups)}</div>')
