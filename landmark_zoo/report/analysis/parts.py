"""What the collection is made of, and what of it cannot be read."""

from collections import Counter

import numpy as np

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.colour import is_grey
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.table import Html, table

SHOWN = 10


def parts(collection: Collection) -> Html:
    """Returns a small table of the parts, and the unreadable photographs by reason."""
    rows = []
    for part in collection.parts:
        good = part.table[part.table["readable"]]
        grey = int(is_grey(good["strongest_colour"]).sum())
        rows.append((part.photographs.part, f"{len(part.table):,}", f"{len({*part.photographs.landmarks} - {''}):,}",
                     f"{len(part.photographs.missing):,}", f"{len(part.faults):,}", share(grey, len(good)),
                     f"{np.median(np.maximum(good['height'], good['width'])):,.0f}" if len(good) else "–"))
    header = ("Part", "Photographs", "Landmarks", "Without a file", "Unreadable", "Grey", "Longer side, median")
    reasons = Counter(reason for part in collection.parts for reason in part.faults.values())
    listed = table(("Why unreadable", "Photographs"), reasons.most_common(SHOWN)) if reasons else ""
    return Html(table(header, rows) + listed)
