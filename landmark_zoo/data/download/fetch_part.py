"""The bytes of one address, gathered over as many connections as it takes."""

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.download.faults import FetchError, PassingFault, Stopped
from landmark_zoo.data.download.open_url import network_faults, open_url
from landmark_zoo.data.download.pace import Pace
from landmark_zoo.data.download.patience import Patience

_CHUNK = 1 << 20
_LEAST_GAIN = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def fetch_part(url: str, part: Path, patience: Patience, report: Callable[[int], None],
               stop: threading.Event) -> None:
    """Fetches `url` into `part`, going on behind the bytes that are there already.

    A request asks for the rest (Range, If-Range). A server that sends everything again makes the file start anew, as
    does one whose file is not the same any more. Attempts that bring at least 64 KiB beyond what was there at best do
    not count as fruitless.

    Args:
        url: The address.
        part: The unfinished file; beside it `note_path(part)` keeps size and version of the server's file, also when
            the file is whole, so that an interruption right then costs nothing.
        patience: When to ask again and when to give up.
        report: Is told how many bytes came.
        stop: Ends the work when set.

    Raises:
        FetchError: The server refuses, or too many attempts brought nothing.
        Stopped: `stop` was set.
        OSError: The file cannot be written.
    """
    best, fruitless = _size(part), 0
    while True:
        try:
            _go_on(url, part, patience, report, stop)
        except PassingFault as fault:
            size = _size(part)
            fruitless = 0 if size >= best + _LEAST_GAIN else fruitless + 1
            best = max(best, size)
            if fruitless >= patience.attempts:
                raise FetchError(url, f"{fault.reason}, {fruitless} times in a row") from fault
            if stop.wait(patience.delay(max(fruitless, 1), url, fault.retry_after)):
                raise Stopped from fault
        else:
            return


def note_path(part: Path) -> Path:
    """Returns where size and version of the server's file are noted while `part` is unfinished."""
    return part.with_name(f"{part.name}.json")


def _go_on(url: str, part: Path, patience: Patience, report: Callable[[int], None], stop: threading.Event) -> None:
    """One connection; returns when the file is whole."""
    note, offset = _read_note(part), _size(part)
    if not note:
        part.unlink(missing_ok=True)
        offset = 0
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and note["version"]:
        headers["If-Range"] = note["version"]
    with open_url(url, patience.timeout, headers) as response:
        if response.status == 206:
            start, total = _range(response.headers.get("Content-Range", ""))
            note["total"] = note["total"] or total
            if start != offset or total not in (note["total"], None):
                _start_anew(part, "another file than before")
        elif response.status == 416:
            if offset == note["total"]:
                return
            _start_anew(part, "a shorter file than before")
        else:
            offset, note = 0, _note(response)
            write_json(note_path(part), note)
        _copy(response, part, offset, patience, report, stop)
    size, total = _size(part), note["total"]
    if total is not None and size != total:
        if size > total:
            _start_anew(part, f"{size:,} bytes instead of {total:,}")
        raise PassingFault(f"cut after {size:,} of {total:,} bytes")


def _copy(response: Any, part: Path, offset: int, patience: Patience, report: Callable[[int], None],
          stop: threading.Event) -> None:
    pace = Pace(patience.least_speed, patience.timeout)
    with open(part, "r+b" if offset else "wb") as file:
        file.seek(offset)
        while True:
            with network_faults():
                chunk = response.read1(_CHUNK)
            if not chunk:
                break
            file.write(chunk)
            report(len(chunk))
            if stop.is_set():
                raise Stopped
            pace.add(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _note(response: Any) -> dict[str, Any]:
    """The size of the server's file and what tells this version of it from others (a weak ETag does not)."""
    length, tag = response.headers.get("Content-Length", ""), response.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    return {"total": int(length) if length.isdecimal() else None, "version": version}


def _read_note(part: Path) -> dict[str, Any]:
    if not (part.is_file() and note_path(part).is_file()):
        return {}
    try:
        note = read_json(note_path(part))
    except UserError:
        return {}
    return note if isinstance(note, dict) and {"total", "version"} <= set(note) else {}


def _range(header: str) -> tuple[int, int | None]:
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if not found:
        return -1, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _start_anew(part: Path, reason: str) -> None:
    part.unlink(missing_ok=True)
    raise PassingFault(reason)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
