"""The last system against each of the others."""

from landmark_zoo.report.difference import paired_difference, signed
from landmark_zoo.report.result import Result
from landmark_zoo.report.table import Html, table


def difference_table(results: list[Result]) -> Html | str:
    """Returns a table of paired differences of mean average precision, or nothing where there are none."""
    *earlier, last = results
    rows = []
    for result in earlier:
        difference = paired_difference(result, last)
        if difference:
            rows.append([result.name, signed(difference.value),
                         f"{signed(difference.low)} to {signed(difference.high)}",
                         "yes" if difference.clear else "no, zero is inside", f"{difference.queries:,}"])
    header = [f"“{last.name}” against", "Points of mAP", "95 % interval", "Clear", "Shared queries"]
    return table(header, rows) if rows else ""
