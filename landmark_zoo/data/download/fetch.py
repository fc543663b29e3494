"""One remote file, whole and checked, or not there."""

import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

from absl import logging

from landmark_zoo.data.download.faults import FetchError
from landmark_zoo.data.download.fetch_part import fetch_part, note_path
from landmark_zoo.data.download.patience import Patience
from landmark_zoo.data.download.remote_file import RemoteFile

_MD5 = re.compile(rb"\s*\\?([0-9a-fA-F]{32})\b")


def fetch(file: RemoteFile, root: Path, patience: Patience | None = None, report: Callable[[int], None] | None = None,
          stop: threading.Event | None = None) -> Path:
    """Fetches `file` to `root/file.path` unless it is there; the file appears under its name only when it is whole.

    Until then its bytes are in `<path>.part`, also after an interruption, and the next call goes on behind them. A file
    with another MD5 than its publisher's is fetched once again.

    Args:
        file: What to fetch.
        root: The data folder.
        patience: Time-outs and retries.
        report: Is told how many bytes came.
        stop: Ends the work when set.

    Returns:
        The file.

    Raises:
        FetchError: It cannot be had, or its MD5 was wrong twice.
        Stopped: `stop` was set.
    """
    patience, report, stop = patience or Patience(), report or (lambda count: None), stop or threading.Event()
    target = root / file.path
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    expected = file.md5 or (_published(file, target, patience, stop) if file.md5_url else None)
    part = target.with_name(f"{target.name}.part")
    for again in (True, False):
        fetch_part(file.url, part, patience, report, stop)
        found = _md5(part) if expected else None
        if found == expected:
            os.replace(part, target)
            note_path(part).unlink(missing_ok=True)
            return target
        part.unlink()
        if again:
            logging.warning("%s: MD5 %s instead of %s, fetched again", file.url, found, expected)
    raise FetchError(file.url, f"MD5 {found} instead of {expected}, twice")


def _published(file: RemoteFile, target: Path, patience: Patience, stop: threading.Event) -> str:
    part = target.with_name(f"{target.name}.md5.part")
    fetch_part(file.md5_url, part, patience, lambda count: None, stop)
    found = _MD5.match(part.read_bytes()[:256])
    part.unlink()
    note_path(part).unlink(missing_ok=True)
    if not found:
        raise FetchError(file.md5_url, "holds no MD5")
    return found[1].decode().lower()


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
