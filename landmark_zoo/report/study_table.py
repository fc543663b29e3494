"""The table of a study."""

from collections.abc import Sequence

from landmark_zoo.report.difference import signed
from landmark_zoo.report.study_row import StudyRow

_HEADER = ("Block", "Seeds", "mAP@100", "± over seeds", "95 % interval", "Before training", "Against baseline",
           "95 % interval", "Parameters", "Of the block", "MACs of the block", "Block, ms/picture", "Training, s")
_METHODS = {"off_the_shelf": "Without training", "frozen": "Backbone frozen, cached feature maps",
            "end_to_end": "Backbone trained too"}
_NOTE = ("The first interval is over queries, of the mean over seeds; that of a difference is over queries and seeds. "
         "Parameters are without the head; multiply-accumulates (MACs) and time of a block are for one feature map of a "
         "training picture.")


def study_table(rows: Sequence[StudyRow]) -> str:
    """Returns a Markdown table for each method, and a sentence on what came out; figures in per cent."""
    parts = []
    for method, title in _METHODS.items():
        chosen = [row for row in rows if row.method == method]
        if chosen:
            lines = [_line(_HEADER), _line(["---"] + ["---:"] * (len(_HEADER) - 1)), *(_line(_cells(row)) for row in chosen)]
            outcome = _outcome(chosen) if method != "off_the_shelf" else ""
            parts.append("\n".join([f"**{title}**", "", *lines, *(["", outcome] if outcome else [])]))
    return "\n\n".join([*parts, _NOTE]) + "\n"


def _cells(row: StudyRow) -> list[str]:
    difference = row.difference
    return [row.label, str(len(row.values)), f"{100 * row.mean:.1f}",
            "–" if row.deviation is None else f"{100 * row.deviation:.1f}", f"{100 * row.low:.1f}–{100 * row.high:.1f}",
            "–" if row.before is None else f"{100 * row.before:.1f}", signed(difference.value) if difference else "–",
            f"{signed(difference.low)} to {signed(difference.high)}" if difference else "–",
            f"{row.costs['parameters']:,.0f}", f"{row.costs['block_parameters']:,.0f}", f"{row.costs['block_macs']:,.0f}",
            f"{row.costs['block_milliseconds']:.2f}", f"{row.costs['training_seconds']:.0f}"]


def _outcome(rows: list[StudyRow]) -> str:
    compared = [row for row in rows if row.difference]
    if not compared:
        return ""
    found = {"better than the baseline": [row.label for row in compared if row.difference.low > 0],
             "worse": [row.label for row in compared if row.difference.high < 0],
             "no clear difference": [row.label for row in compared if not row.difference.clear]}
    return "; ".join(f"{what}: {', '.join(names) or 'none'}" for what, names in found.items()).capitalize() + "."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
