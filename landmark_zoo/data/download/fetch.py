"""Remote files of public collections, and the fetching of one: resumed by range, checked, whole or not there."""

import contextlib
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.download.http import FetchError, HttpSession, TransientError, content_length


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch and, where it is an archive, to unpack.

    Attributes:
        url: Address, http or https.
        path: Where it is kept, below the data folder; of an archive until it is unpacked.
        about_bytes: Size as the publisher gives it, for estimates when the server does not tell.
        md5: MD5 in hexadecimal, where known beforehand.
        md5_url: The address of a text that begins with its MD5.
        unpack_to: The folder below the data folder that an archive is unpacked to; None for a plain file.
        flatten: Unpack all files into that one folder and drop the archive's own folders.
        sha256: SHA-256 in hexadecimal, where known beforehand; it goes before the MD5.

    Raises:
        ValueError: Another kind of address, or a path that could leave the data folder.
    """

    url: str
    path: str
    about_bytes: int
    md5: str | None = None
    md5_url: str | None = None
    unpack_to: str | None = None
    flatten: bool = False
    sha256: str | None = None

    def __post_init__(self):
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"Expected an http or https address; received {self.url!r}.")
        for path in (self.path, self.unpack_to or "."):
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"Expected a path below the data folder; received {path!r}.")

    def at_mirror(self, mirror: str) -> "RemoteFile":
        """Returns the same file at a mirror: `mirror` stands for scheme and host, the rest of the address stays."""
        moved = {name: mirror.rstrip("/") + urlunsplit(("", "", *urlsplit(getattr(self, name))[2:]))
                 for name in ("url", "md5_url") if getattr(self, name)}
        return replace(self, **moved)


@dataclass(frozen=True)
class Source:
    """A public collection as its publishers serve it.

    Attributes:
        name: Name for `--source`.
        folder: Folder below the data folder.
        files: Files to fetch; their paths start from the data folder.
    """

    name: str
    folder: str
    files: tuple[RemoteFile, ...]

    def part(self, archives: int | None) -> "Source":
        """Returns the collection with only the first `archives` of each folder's archives, for a trial; None: all."""
        if archives is None:
            return self
        seen: Counter[str] = Counter()
        kept = []
        for file in self.files:
            seen[file.unpack_to or ""] += 1
            if file.unpack_to is None or seen[file.unpack_to] <= archives:
                kept.append(file)
        return replace(self, files=tuple(kept))

    def at_mirror(self, mirror: str | None) -> "Source":
        """Returns the collection at a mirror (see `RemoteFile.at_mirror`); None: as published."""
        return replace(self, files=tuple(file.at_mirror(mirror) for file in self.files)) if mirror else self


_MAX_MD5_BYTES = 1 << 20
_CONTENT_RANGE = re.compile(r"\s*bytes (\d+)-\d+/(\d+|\*)\s*")
_MD5 = re.compile(rb"\s*\\?([0-9a-fA-F]{32})\b")


def fetch(file: RemoteFile, root: Path, session: HttpSession, report: Callable[[int], object] = lambda count: None) -> Path:
    """Fetches `file` to `root/file.path` unless it is there; the file appears under its name only when it is whole.

    Until then its bytes are in `<path>.part`, also after an interruption, and the next call goes on behind them. A file
    with another SHA-256 or MD5 than its publisher's is fetched once again.

    Args:
        file: What to fetch.
        root: The data folder.
        session: Connections and retries.
        report: Called with the number of bytes of each piece that came.

    Returns:
        The file's path.

    Raises:
        FetchError: It cannot be had, or its checksum was wrong twice.
        Stopped: `session.stop` was set.
        OSError: The file cannot be written.
    """
    target = root / file.path
    part = target.with_name(f"{target.name}.part")
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        kind = "SHA-256" if file.sha256 else "MD5"
        expected = file.sha256 or file.md5 or (_published_md5(file.md5_url, session) if file.md5_url else None)
        for again in (True, False):
            session.retry(lambda: _resume(file.url, part, session, report), received=lambda: file_size(part))
            found = _digest(part, kind) if expected else None
            if found == expected:
                os.replace(part, target)
                _note_path(part).unlink(missing_ok=True)
                return target
            part.unlink()
            if again:
                logging.warning("%s: %s %s instead of %s, fetched again", file.url, kind, found, expected)
    except TransientError as error:
        raise FetchError(file.url, error.reason) from error
    raise FetchError(file.url, f"{kind} {found} instead of {expected}, twice")


def file_size(path: Path) -> int:
    """Returns the bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _resume(url: str, part: Path, session: HttpSession, report: Callable[[int], object]) -> None:
    """Goes on behind the bytes of `part` over one connection; returns when the file is whole.

    A server that sends everything again makes the file start anew, as does one whose file is not the same any more. A note
    beside `part` keeps size and version of the server's file; `part` without one is of unknown origin.
    """
    note = _read_note(part)
    offset = file_size(part) if note else 0
    if note and offset == note["total"]:
        return
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and note["version"]:
        headers["If-Range"] = note["version"]
    with session.open(url, headers) as response:
        if response.status_code == requests.codes.partial_content:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            start, total = (int(found[1]), found[2]) if found else (-1, "*")
            if start != offset or (note["total"] is not None and total not in ("*", str(note["total"]))):
                _start_anew(part, "another file than before")
        elif response.status_code == requests.codes.range_not_satisfiable:
            _start_anew(part, "a shorter file than before")
        else:
            tag = response.headers.get("ETag", "")  # a weak one does not tell versions apart
            version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
            offset, note = 0, {"total": content_length(response), "version": version}
            part.unlink(missing_ok=True)
            write_json(_note_path(part), note)
        with open(part, "r+b" if offset else "wb") as file:
            file.seek(offset)
            for chunk in session.chunks(response):
                file.write(chunk)
                report(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    size, total = file_size(part), note["total"]
    if total is not None and size != total:
        if size > total:
            part.unlink()
        raise TransientError(f"{size:,} bytes instead of {total:,}")


def _start_anew(part: Path, reason: str) -> None:
    part.unlink(missing_ok=True)
    raise TransientError(reason)


def _note_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part: Path) -> dict[str, Any]:
    with contextlib.suppress(UserError):
        note = read_json(_note_path(part), {"total": int | None, "version": str | None}) if part.is_file() else {}
        return note if {"total", "version"} <= set(note) else {}
    return {}


def _published_md5(url: str, session: HttpSession) -> str:
    if found := _MD5.match(session.read(url, _MAX_MD5_BYTES)):
        return found[1].decode().lower()
    raise FetchError(url, "holds no MD5")


def _digest(path: Path, kind: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind.replace("-", "").lower()).hexdigest()
