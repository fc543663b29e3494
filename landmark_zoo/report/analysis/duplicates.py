"""Pictures that are there more than once."""

from collections import Counter

import numpy as np

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.duplicate_groups import duplicate_groups
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.data.analysis.near_duplicates import RADIUS, Pairs
from landmark_zoo.report.analysis.counted import counted
from landmark_zoo.report.analysis.picture_sheet import picture_groups
from landmark_zoo.report.analysis.readable_name import readable_name
from landmark_zoo.report.table import Html, table

SHOWN = 12
IN_A_ROW = 4


def duplicates(findings: Findings) -> Html:
    """Says how many near-duplicates there are within and between parts, and shows the most alike of both."""
    collection, pairs = findings.collection, findings.pairs
    if not len(pairs.first):
        return Html("<p>No two pictures are nearly the same.</p>")
    parts = np.stack([collection.part_of[pairs.first], collection.part_of[pairs.second]])
    inside = parts[0] == parts[1]
    text = f"Two pictures count as nearly the same where at most {RADIUS} of the 64 bits of their perceptual hashes differ."
    between = _between(findings, _chosen(pairs, ~inside), parts[:, ~inside])
    return Html(f'<p class="hint">{text} 0 bits: the same picture, perhaps saved anew. 2 to 4: with a mark, a frame or '
                "other colours. 6 and 8: sometimes another photograph from the same spot.</p>"
                f"{between}{_within(findings, _chosen(pairs, inside))}")


def _between(findings: Findings, pairs: Pairs, parts: np.ndarray) -> str:
    names = [part.photographs.part for part in findings.collection.parts]
    if len(names) == 1:
        return ""
    if not len(pairs.first):
        return "<h3>Between parts</h3><p>No picture of one part is nearly the same as one of another.</p>"
    counts = Counter(map(tuple, parts.T.tolist()))
    rows = [(f"{names[one]} and {names[other]}", f"{number:,}",
             *(f"{_pictures(findings, pairs[side][(parts[0] == one) & (parts[1] == other)], part):,}"
               for side, part in enumerate((one, other)))) for (one, other), number in sorted(counts.items())]
    some = np.concatenate([np.flatnonzero(pairs.bits == 0)[:SHOWN // 2], np.flatnonzero(pairs.bits)])[:SHOWN]
    shown = [([int(one), int(other)], f"{findings.collection.name(one)} and {findings.collection.name(other)}, {bits} bits")
             for one, other, bits in zip(*(column[some] for column in pairs), strict=True)]
    number = f"{counted(len(pairs.first), 'pair').capitalize()} {'lies' if len(pairs.first) == 1 else 'lie'} in two parts."
    return ("<h3>Between parts</h3><p>A picture that is trained on and asked for makes a model look better than it is. "
            f"{number}</p>"
            f"{table(['Parts', 'Pairs', 'Pictures of the one', 'of the other'], rows)}"
            f"{picture_groups(findings.collection, shown)}")


def _within(findings: Findings, pairs: Pairs) -> str:
    collection = findings.collection
    groups = duplicate_groups(pairs, len(collection))
    if not groups:
        return "<h3>Within a part</h3><p>No picture is nearly the same as another one of its part.</p>"
    mixed = sum(len({collection.landmark(number) for number in group}) > 1 for group in groups)
    size = f", the largest of {len(groups[0])}" if len(groups[0]) > 2 else " of two"
    across = f"{counted(mixed, 'group').capitalize()} {'goes' if mixed == 1 else 'go'} across landmarks"
    text = (f"{counted(sum(map(len, groups)), 'picture').capitalize()} form {counted(len(groups), 'group')}{size}. "
            f"{across}{': one picture with two labels' if mixed else ''}.")
    nearest = dict(zip(pairs.first[::-1].tolist(), pairs.bits[::-1].tolist(), strict=True))  # the smallest stays
    fewest = [min(nearest[number] for number in group.tolist() if number in nearest) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (fewest[place], -len(groups[place])))[:SHOWN]
    shown = [(groups[place][:IN_A_ROW].tolist(), _caption(collection, groups[place], fewest[place])) for place in order]
    return f"<h3>Within a part</h3><p>{text}</p>{picture_groups(collection, shown)}"


def _caption(collection: Collection, group: np.ndarray, bits: int) -> str:
    names = list(dict.fromkeys(collection.landmark(number) or collection.name(number) for number in group))
    more = f", {len(group)} pictures" if len(group) > IN_A_ROW else ""
    return f"{' and '.join(map(readable_name, names[:2]))}{' …' if len(names) > 2 else ''}{more}, {bits} bits"


def _chosen(pairs: Pairs, mask: np.ndarray) -> Pairs:
    return Pairs(*(column[mask] for column in pairs))


def _pictures(findings: Findings, numbers: np.ndarray, part: int) -> int:
    """Returns how many pictures of a part are these or have the same hash: only one of those is in the pairs."""
    table, part_of = findings.collection.table, findings.collection.part_of
    return int((np.isin(table["hash"], table["hash"][numbers]) & (part_of == part) & table["readable"]).sum())
