"""Files that are either whole or absent: written under a temporary name, then renamed."""

import contextlib
import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from landmark_zoo.core.errors import UserError


@contextlib.contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Opens a temporary file beside `path` and renames it to `path` when the block ends without an error.

    Args:
        path: Where the file shall be; parent folders are made.
        mode: "w" (UTF-8 text, `\\n` line ends) or "wb".
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with os.fdopen(descriptor, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yields an empty temporary folder that becomes `path` when the block ends without an error.

    Raises:
        UserError: `path` exists already.
    """
    path = Path(path)
    if path.exists():
        raise UserError(f"no folder at {path}", "one that exists", "Choose another output folder or remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_json(path: str | Path, facts: Any) -> None:
    """Writes `facts` as indented JSON; NaN and infinity are refused."""
    with atomic_write(path) as file:
        json.dump(facts, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Reads a JSON file; a missing or broken one is a `UserError`."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise UserError(f"a JSON file at {path}", str(error), "Check the path, or make the file again.") from error


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a comma-separated table with a header line."""
    with atomic_write(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_csv(path: str | Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yields the rows of a comma-separated table as dicts, one at a time.

    Args:
        path: The table; its first line names the columns.
        columns: Columns that must be there.

    Raises:
        UserError: No such file, no such column, or a row with too few cells.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            found = reader.fieldnames or []
            missing = [column for column in columns if column not in found]
            if missing:
                raise UserError(f"column {', '.join(missing)} in {path}", f"columns {', '.join(found) or '(none)'}",
                                "Add the column or name another file.")
            for row in reader:
                if any(row[column] is None for column in columns):
                    raise UserError(f"{len(found)} cells per row in {path}", f"fewer in line {reader.line_num}",
                                    "Mend that line.")
                yield row
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"a readable csv file at {path}", str(error), "Check the path.") from error


def write_npy(path: str | Path, array: np.ndarray) -> None:
    """Writes an array in numpy's own format; object arrays (which would be pickled) are refused."""
    with atomic_write(path, "wb") as file:
        np.save(file, array, allow_pickle=False)


def sha256(path: str | Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
