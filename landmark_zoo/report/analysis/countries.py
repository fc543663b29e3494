"""In which countries the photographs were taken."""

from collections import Counter
from collections.abc import Sequence

from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.share import share
from landmark_zoo.report.table import Html, table

SHOWN = 15


def countries(found: Sequence[str]) -> Html:
    """Lists the countries with the most photographs; nothing where none is named.

    Args:
        found: Of each photograph, "" where unknown; empty where no table names any.
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
