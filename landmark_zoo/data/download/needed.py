"""What is still to be fetched, and how much that is."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from landmark_zoo.data.download.faults import FetchError, PassingFault
from landmark_zoo.data.download.open_url import open_url
from landmark_zoo.data.download.remote_file import RemoteFile

_ASK_AT_ONCE, _ASK_TIMEOUT, _MOST_UNANSWERED = 8, 10.0, 8


@dataclass(frozen=True)
class Needed:
    """A file that is not there yet.

    Attributes:
        file: Which.
        bytes: Its whole size.
        here: How much of it was fetched already.
        exact: Whether the server told the size; otherwise it is its publisher's round figure.
    """

    file: RemoteFile
    bytes: int
    here: int
    exact: bool


def needed(files: Sequence[RemoteFile], root: Path) -> list[Needed]:
    """Returns the files that are neither in `root` nor unpacked there, with the sizes that their servers tell.

    After eight requests without an answer no more are asked for sizes.
    """
    absent = [file for file in files if not is_done(file, root)]
    unanswered: list[RemoteFile] = []

    def ask(file: RemoteFile) -> int | None:
        if len(unanswered) >= _MOST_UNANSWERED:
            return None
        try:
            return _size_at_server(file)
        except PassingFault:
            unanswered.append(file)
            return None

    with ThreadPoolExecutor(_ASK_AT_ONCE) as pool:
        sizes = list(pool.map(ask, absent))
    found = []
    for file, size in zip(absent, sizes, strict=True):
        here = max(map(_size, (root / file.path, root / f"{file.path}.part")))
        found.append(Needed(file, max(file.about_bytes if size is None else size, here), here, size is not None))
    return found


def is_done(file: RemoteFile, root: Path) -> bool:
    """Returns whether a file is there or, of an archive, whether it was unpacked."""
    return (mark_path(file, root) if file.unpack_to is not None else root / file.path).is_file()


def mark_path(file: RemoteFile, root: Path) -> Path:
    """Returns where it is noted that an archive was unpacked."""
    return root / f"{file.path}.unpacked.json"


def _size_at_server(file: RemoteFile) -> int | None:
    try:
        with open_url(file.url, _ASK_TIMEOUT, method="HEAD") as response:
            length = response.headers.get("Content-Length", "")
    except FetchError:
        return None
    return int(length) if length.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
