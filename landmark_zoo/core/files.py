"""Files: atomic writes, JSON, CSV, npy, checksums, and the lock of a folder."""

import contextlib
import csv
import fcntl
import hashlib
import json
import math
import os
import re
import shutil
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.strict_json import check_form, parse_json

csv.field_size_limit(sys.maxsize)  # a ranking of a whole index is one cell


@contextlib.contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Opens a temporary file beside `path` and renames it to `path` when the block ends without an error.

    Args:
        path: Path of the file; parent folders are made.
        mode: "w" (UTF-8 text, `\\n` line ends) or "wb".
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{_short_name(path)}.", suffix=".tmp")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with os.fdopen(descriptor, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:  # a write or a flush knows no name
            error.filename = str(path)
        raise


def _short_name(path: Path) -> str:
    """Returns a path's name, or of a long one its beginning and a checksum: more will be put before and behind it."""
    name = path.name
    return name if len(name) <= 40 else f"{name[:32]}_{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"


@contextlib.contextmanager
def claim_path(path: str | Path) -> Iterator[None]:
    """Holds the name `path` for this process while the block writes there; whoever else wants to write it is refused.

    The lock is a file beside it, `.<name>.lock`, which goes with the block and is free again when the process dies, however
    it dies. What killed processes left for this name (`.<name>.<random>.tmp`) is removed.

    Raises:
        UserError: Another process is writing there.
        OSError: The lock is a link: the file that it leads to is not touched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{_short_name(path)}.lock")
    with contextlib.ExitStack() as stack:
        while True:
            file = stack.enter_context(open(lock, "a+", encoding="utf-8", opener=_open_no_link))
            _take(file, path)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), os.lstat(lock)):  # else its holder has just removed it
                    break
        stack.callback(lock.unlink, missing_ok=True)
        left = re.compile(rf"\.{re.escape(_short_name(path))}\.[a-z0-9_]{{8}}\.tmp")
        for name in filter(left.fullmatch, os.listdir(path.parent)):
            _remove(path.parent / name)
        yield


@contextlib.contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yields an empty temporary folder that becomes `path` when the block ends without an error.

    Raises:
        UserError: `path` exists already, or another process is writing it.
    """
    path = Path(path)
    _check_absent(path)
    with claim_path(path):
        _check_absent(path)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{_short_name(path)}.", suffix=".tmp"))
        try:
            yield temporary
            os.chmod(temporary, 0o777 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _check_absent(path: Path) -> None:
    if path.exists():
        raise UserError(f"no folder at {path}", "one that exists", "Choose another output folder or remove it.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path: str | Path, facts: Any) -> None:
    """Writes `facts` as indented JSON; NaN and infinity are a ValueError."""
    with atomic_write(path) as file:
        json.dump(facts, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def read_json(path: str | Path, form: Any = object) -> Any:
    """Reads a JSON file by `parse_json`.

    Args:
        path: Path of the file.
        form: Types that it must have (`check_form`).

    Raises:
        UserError: The file is missing, broken, or of another form.
    """
    try:
        with open(path, encoding="utf-8") as file:
            facts = parse_json(file.read())
    except (OSError, ValueError) as error:
        raise UserError(f"a JSON file at {path}", str(error), "Check the path, or make the file again.") from error
    check_form(facts, form, path)
    return facts


def read_json_lines(path: str | Path, form: Any = object, finite: bool = True) -> Iterator[Any]:
    """Yields the good lines of a file of JSON lines; a bad one is named in the log and costs no other.

    Empty lines are passed over; a last line that a crash cut off is a bad one.

    Args:
        path: Path of the file.
        form: Types that each line must have (`check_form`).
        finite: False to take NaN and infinity too.
    """
    for number, line in enumerate(Path(path).read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                facts = parse_json(line.decode("utf-8"), finite)
                check_form(facts, form, f"line {number} of {path}", "Remove that line.")
            except (ValueError, UserError) as error:
                logging.warning("Line %d of %s is left out: %s", number, path, error)
            else:
                yield facts


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a comma-separated table with a header line; a row with a bare carriage return stands in quotes."""
    with atomic_write(path) as file:
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(header)
        for row in map(list, rows):
            (quoted if any("\r" in cell for cell in row if isinstance(cell, str)) else plain).writerow(row)


def read_csv(path: str | Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yields the rows of a comma-separated table (RFC 4180, UTF-8) as dicts, one at a time.

    A row with another number of cells than the header, or a quote that is not closed in its row, is an error: the next
    rows would be read as part of it. Cells may hold line breaks; empty lines, and empty cells behind the last column, are
    passed over.

    Args:
        path: Table whose first line names the columns.
        columns: Names of the columns that must be there.

    Raises:
        UserError: No such file, not UTF-8, no such column, one named twice, or a line that is no row of the table.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            _check_header(header, columns, path)
            while True:
                line = reader.line_num + 1
                row = next(reader, None)
                if row is None:
                    return
                if row:
                    yield dict(zip(header, _checked_row(row, header, path, line, reader.line_num), strict=True))
    except UnicodeDecodeError as error:
        raise UserError(f"a readable csv file at {path}, in UTF-8", str(error), "Save it as UTF-8.") from error
    except csv.Error as error:
        raise UserError(f"a readable csv file at {path}", f"{error} in the row of line {line}",
                        "Mend that line; a quote inside quotes is written twice.") from error
    except OSError as error:
        raise UserError(f"a readable csv file at {path}", str(error), "Check the path.") from error


def _check_header(header: list[str], columns: Sequence[str], path: str | Path) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise UserError(f"column {', '.join(missing)} in {path}", f"columns {', '.join(header) or '(none)'}",
                        "Add the column or name another file.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise UserError(f"every column of {path} once", f"{', '.join(twice)} twice", "Rename or remove one of them.")


def _checked_row(row: list[str], header: list[str], path: str | Path, line: int, last: int) -> list[str]:
    while len(row) > len(header) and not row[-1]:
        row.pop()
    if len(row) != len(header):
        raise UserError(f"{len(header)} cells per row in {path}",
                        f"{'fewer' if len(row) < len(header) else len(row)} in line {line}",
                        "Mend that line; a cell with a comma in it stands in quotes.")
    commas = max(1, len(header) - 1)
    if last > line and any(part.count(",") >= commas for cell in row for part in cell.splitlines()[1:]):
        raise UserError(f"quotes that are closed in {path}", f"whole rows inside the cell that begins in line {line}",
                        "Mend that line; a quote inside quotes is written twice.")
    return row


_NO_PATH = re.compile(r"\0|^/|(?:^|/)\.\.(?:/|$)|[\ud800-\udc7f\udd00-\udfff]")


def check_relative(name: str, source: object) -> str:
    """Returns a name that may become part of a path: an image id, or a file named in a list.

    Args:
        name: Name to check.
        source: List, table or folder that it comes from, for the message.

    Raises:
        UserError: An absolute path, one that leads upwards, or a character that no file name can have.
    """
    if _NO_PATH.search(name):
        raise UserError(f"names in {source} that lie below its folder", repr(name),
                        "Mend that entry, or do not trust the list.")
    return name


def write_npy(path: str | Path, array: np.ndarray) -> None:
    """Writes an array as .npy; an object array, which would be pickled, is a ValueError."""
    with atomic_write(path, "wb") as file:
        np.save(file, array, allow_pickle=False)


def read_npy(path: str | Path, mmap: bool = False) -> np.ndarray:
    """Reads an array from .npy after its header has been held against the file's size.

    Args:
        path: Path of the file.
        mmap: Leave the numbers on disk until they are used.

    Raises:
        ValueError: Not .npy, an array of objects, or another number of bytes than shape and type need.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, _, dtype = read_header(file)
        except tokenize.TokenError as error:  # numpy looks for headers of Python 2 so
            raise ValueError(f"a header that numpy cannot read: {error}") from error
        needed, there = file.tell() + math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size
    if dtype.hasobject or min(shape, default=0) < 0 or needed != there:
        raise ValueError(f"{dtype} {list(shape)} in {there:,} bytes instead of {needed:,}")
    return np.load(path, mmap_mode="r" if mmap and math.prod(shape) else None, allow_pickle=False)


def sha256(path: str | Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(folder: Path, stated: Mapping[str, str]) -> None:
    """Raises a ValueError that names the file of a folder whose bytes have another SHA-256 than is stated of it."""
    if not isinstance(stated, Mapping):
        raise ValueError(f"checksums that are {stated!r:.40}")
    for name, digest in stated.items():
        if sha256(folder / name) != digest:
            raise ValueError(f"an unreadable {name}: its checksum is not the one that was noted when it was written")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def lock_directory(path: str | Path) -> Iterator[None]:
    """Holds `path` for this process until the block ends; the lock dies with the process, however it dies.

    Raises:
        UserError: Another process holds the folder.
        OSError: The lock is a link: the file that it leads to is not touched.
    """
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "a+", encoding="utf-8", opener=_open_no_link) as file:
        _take(file, path)
        yield


def _take(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise UserError(f"{path} to be free", f"a run that is using it ({holder})",
                        "Wait for it to end or choose another folder.") from error
    file.truncate(0)
    file.write(f"pid {os.getpid()} on {os.uname().nodename}")
    file.flush()


def _open_no_link(name: str, mode: int) -> int:
    return os.open(name, mode | os.O_NOFOLLOW, 0o666)


def remove_unfinished(folder: Path) -> None:
    """Removes what `atomic_write` and `atomic_directory` left (`.<name>.<random>.tmp`) in a folder, not in those below.

    Only for a folder that no other process writes to.
    """
    if folder.is_dir():
        for name in os.listdir(folder):
            if name.startswith(".") and name.endswith(".tmp"):
                _remove(folder / name)
