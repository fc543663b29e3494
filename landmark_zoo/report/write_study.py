"""Table and figure of a study, from the folders of its runs."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.files import atomic_write, write_csv
from landmark_zoo.report.study_figure import study_figure
from landmark_zoo.report.study_row import StudyRow, study_rows
from landmark_zoo.report.study_run import COSTS, read_study_run
from landmark_zoo.report.study_table import study_table

_COLUMNS = ("method", "block", "seeds", "mean", "standard_deviation", "low", "high", "before", "difference",
            "difference_low", "difference_high", *COSTS)


def write_study(output: str | Path, folders: Sequence[str | Path]) -> list[StudyRow]:
    """Writes `summary.csv` (fractions), `table.md` (per cent) and `figure.png`.

    Args:
        output: Where to.
        folders: Of finished runs; see `read_study_run`.
    """
    output = Path(output)
    rows = study_rows([read_study_run(folder) for folder in folders])
    write_csv(output / "summary.csv", _COLUMNS, (_cells(row) for row in rows))
    with atomic_write(output / "table.md") as file:
        file.write(study_table(rows))
    study_figure(rows, output / "figure.png")
    return rows


def _cells(row: StudyRow) -> list[str]:
    difference = row.difference
    figures = (row.mean, row.deviation, row.low, row.high, row.before, difference and difference.value,
               difference and difference.low, difference and difference.high)
    return [row.method, row.block, str(len(row.values)), *("" if value is None else f"{value:.6f}" for value in figures),
            *(f"{row.costs[key]:.10g}" for key in COSTS)]
