"""Fetching of many files at once: what is pending, disk space, estimated time, archives unpacked and ticked off."""

import itertools
import queue
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from absl import logging
from tqdm import tqdm

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import remove_unfinished, write_json
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.download.archives import BrokenArchiveError, UnsafeArchiveError, unpack
from landmark_zoo.data.download.fetch import RemoteFile, fetch, file_size
from landmark_zoo.data.download.http import FetchError, HttpSession, RetryPolicy, Stopped, TransientError, content_length

_MEGABYTE = 1_000_000
_HEAD_REQUESTS, _MAX_UNANSWERED = 8, 8
_SAMPLE_BYTES, _SAMPLE_SECONDS = 1 << 25, 5.0


class PendingFile(NamedTuple):
    """A file that is not there yet, its size in bytes and how many of them are `here` already."""

    file: RemoteFile
    bytes: int
    here: int


def pending(files: Sequence[RemoteFile], root: Path, session: HttpSession | None = None) -> list[PendingFile]:
    """Returns the files that are neither in `root` nor unpacked there, with the sizes that their servers tell.

    Where a server tells none, and after eight requests without an answer, the publisher's round figure is taken.
    """
    session, unanswered = session or HttpSession(), []
    absent = [file for file in files
              if not (mark_path(file, root) if file.unpack_to is not None else root / file.path).is_file()]

    def size_at_server(file: RemoteFile) -> int | None:
        if len(unanswered) < _MAX_UNANSWERED:
            try:
                with session.open(file.url, method="HEAD") as response:
                    return content_length(response)
            except TransientError:
                unanswered.append(file)
            except FetchError:
                pass
        return None

    with ThreadPoolExecutor(_HEAD_REQUESTS) as pool:
        sizes = list(pool.map(size_at_server, absent))
    here = [max(map(file_size, (root / file.path, root / f"{file.path}.part"))) for file in absent]
    return [PendingFile(file, max(file.about_bytes if size is None else size, came), came)
            for file, size, came in zip(absent, sizes, here, strict=True)]


def mark_path(file: RemoteFile, root: Path) -> Path:
    """Returns the path of the note that an archive was unpacked."""
    return root / f"{file.path}.unpacked.json"


def check_disk_space(wanted: Sequence[PendingFile], root: Path, at_once: int,
                     disk_usage: Callable = shutil.disk_usage) -> int:
    """Returns the bytes that fetching and unpacking will need at most; fewer free ones are a `UserError`.

    An archive and what is unpacked from it are both there for a while; images take as much unpacked as packed. So the room
    for everything is needed, and besides that for `at_once` of the largest archives. `root` need not exist.
    """
    archives = sorted((item.bytes for item in wanted if item.file.unpack_to is not None), reverse=True)
    plain = sum(item.bytes - item.here for item in wanted if item.file.unpack_to is None)
    bytes_needed = plain + sum(archives) + sum(archives[:at_once])
    free = disk_usage(next(path for path in (root, *root.absolute().parents) if path.is_dir())).free
    if free < bytes_needed:
        raise UserError(f"{bytes_needed / 1e9:,.1f} GB of free space in {root}", f"{free / 1e9:,.1f} GB",
                        "Free some, or choose another --data_dir.")
    return bytes_needed


def estimate(wanted: Sequence[PendingFile]) -> str:
    """Returns a line with files, bytes and time; the time from up to 32 MiB or 5 s of the largest file, which are dropped.

    Several connections are often faster together than the one that is measured, so the time is rather too long.
    """
    total = sum(item.bytes - item.here for item in wanted)
    line = f"{len(wanted):,} files to fetch, about {tqdm.format_sizeof(total)}B"
    if not wanted:
        return line
    session, came, start = HttpSession(RetryPolicy(timeout=_SAMPLE_SECONDS)), 0, time.monotonic()
    try:
        with session.open(max(wanted, key=lambda item: item.bytes).file.url) as response:
            for chunk in session.chunks(response):
                came += len(chunk)
                if came >= _SAMPLE_BYTES or time.monotonic() - start >= _SAMPLE_SECONDS:
                    break
    except (FetchError, TransientError) as error:
        return f"{line}; no time can be told: {error}"
    speed = max(came, 1) / max(time.monotonic() - start, 1e-9)
    return f"{line}, about {tqdm.format_interval(total / speed)} at the {tqdm.format_sizeof(speed)}B/s of one connection"


def fetch_files(files: Sequence[RemoteFile], root: str | Path, at_once: int = 4, policy: RetryPolicy | None = None) -> None:
    """Fetches and unpacks what is not there yet; afterwards everything is.

    The state of each file is the file itself: `<path>.part` begun, `<path>` whole, `<path>.unpacked.json` unpacked (the
    archive is removed then). Called again after an interruption, also by `kill -9`, it goes on from there.
    A damaged archive is fetched once again. One failure does not keep the others from being fetched.

    Args:
        files: What is wanted.
        root: The data folder; nothing is written outside.
        at_once: Connections.
        policy: Time-outs and retries.

    Raises:
        UserError: Too little space on the disk, or files that could not be had; the first is named with the reason.
        OSError: The disk is full after all.
    """
    root, session = Path(root), HttpSession(policy)
    wanted = pending(files, root, session)
    if not wanted:
        return
    check_disk_space(wanted, root, at_once)
    for folder in {(root / item.file.path).parent for item in wanted}:
        remove_unfinished(folder)
    counts: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    failures, fatal = [], []

    def work(file: RemoteFile) -> None:
        try:
            _fetch_and_unpack(file, root, session, counts.put)
        except (FetchError, BrokenArchiveError, UnsafeArchiveError) as error:
            logging.error("%s", error)
            failures.append(error)
        except Stopped:
            pass
        except Exception as error:
            fatal.append(error)
            session.stop.set()
        finally:
            counts.put(None)

    with ThreadPoolExecutor(at_once) as pool:
        for item in wanted:
            pool.submit(work, item.file)
        try:
            total = sum(item.bytes - item.here for item in wanted) // _MEGABYTE
            for _ in progress(_megabytes(counts, len(wanted)), "downloading", total=total, unit="megabyte"):
                continue
        except BaseException:
            session.stop.set()
            raise
    for error in fatal:
        raise error
    if failures:
        raise UserError(f"all of {len(wanted):,} files", f"{len(failures):,} failures, first {failures[0]}",
                        "Start the same command again: what is there is kept.")


def _fetch_and_unpack(file: RemoteFile, root: Path, session: HttpSession, report: Callable[[int], object],
                      again: bool = True) -> None:
    path = fetch(file, root, session, report)
    if file.unpack_to is None:
        return
    try:
        count = unpack(path, root / file.unpack_to, flatten=file.flatten)
    except (BrokenArchiveError, UnsafeArchiveError) as error:
        path.unlink()
        if isinstance(error, UnsafeArchiveError) or not again:
            raise
        logging.warning("%s, fetched again", error)
        _fetch_and_unpack(file, root, session, report, again=False)
    else:
        write_json(mark_path(file, root), {"url": file.url, "bytes": file_size(path), "files": count})
        path.unlink()


def _megabytes(counts: "queue.SimpleQueue[int | None]", files: int) -> Iterator[None]:
    """Yields once for each megabyte that came, until all files are done."""
    rest = 0
    while files:
        count = counts.get()
        if count is None:
            files -= 1
        else:
            megabytes, rest = divmod(rest + count, _MEGABYTE)
            yield from itertools.repeat(None, megabytes)
