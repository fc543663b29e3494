"""Which photographs a folder of records was made of, in the order of the records."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.data.catalogue import Entry

PHOTOGRAPHS = "photographs.csv"
_COLUMNS = ("id", "path", "landmark_id", "original_height", "original_width")


def write_photograph_list(directory: str | Path, entries: Sequence[Entry],
                          original_sizes: Sequence[tuple[int, int] | None]) -> None:
    """Writes `photographs.csv`.

    Args:
        directory: The folder of records.
        entries: All photographs of the plan, the bad ones too, in the order of the plan.
        original_sizes: Of each, (height, width) in pixels before it was shrunk; None where it was left out as bad.
    """
    write_csv(Path(directory, PHOTOGRAPHS), _COLUMNS, (
        (entry.id, entry.path, entry.landmark_id, *(size or ("", "")))
        for entry, size in zip(entries, original_sizes, strict=True)))


def read_photograph_list(directory: str | Path) -> list[Entry]:
    """Reads the photographs of a folder of records, in the order of the plan.

    Raises:
        UserError: There is no list.
    """
    path = Path(directory, PHOTOGRAPHS)
    if not path.is_file():
        raise UserError(f"{PHOTOGRAPHS} in {directory}", "none", "Prepare the records again.")
    return [Entry(row["id"], row["path"], row["landmark_id"]) for row in read_csv(path, _COLUMNS)]
