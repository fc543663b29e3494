"""Many files at once: fetched, unpacked, ticked off."""

import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.progress import progress
from landmark_zoo.data.download.check_disk_space import check_disk_space
from landmark_zoo.data.download.faults import BrokenArchive, FetchError, HostileArchive, Stopped
from landmark_zoo.data.download.fetch import fetch
from landmark_zoo.data.download.needed import mark_path, needed
from landmark_zoo.data.download.patience import Patience
from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.download.remove_unfinished import remove_unfinished
from landmark_zoo.data.download.unpack import unpack

_MEGABYTE = 1e6


def fetch_files(files: Sequence[RemoteFile], root: str | Path, at_once: int = 4, patience: Patience | None = None) -> None:
    """Fetches and unpacks what is not there yet; afterwards everything is.

    The state of each file is the file itself: `<path>.part` begun, `<path>` whole, `<path>.unpacked.json` unpacked (the
    archive is removed then). Called again after an interruption, also by `kill -9`, it goes on from there.
    A damaged archive is fetched once again. One failure does not keep the others from being fetched.

    Args:
        files: What is wanted.
        root: The data folder; nothing is written outside.
        at_once: Connections.
        patience: Time-outs and retries.

    Raises:
        UserError: Too little space on the disk, or files that could not be had; the first is named with the reason.
        OSError: The disk is full after all.
    """
    root, patience, stop = Path(root), patience or Patience(), threading.Event()
    wanted = needed(files, root)
    if not wanted:
        return
    check_disk_space(wanted, root, at_once)
    for folder in {(root / item.file.path).parent for item in wanted}:
        remove_unfinished(folder)
    counts: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    failures: list[str] = []

    def settle(file: RemoteFile) -> None:
        try:
            _settle(file, root, patience, counts.put, stop)
        except (FetchError, BrokenArchive, HostileArchive) as error:
            logging.error("%s", error)
            failures.append(str(error))
        except BaseException:
            stop.set()
            raise
        finally:
            counts.put(None)

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(settle, item.file) for item in wanted]
        try:
            megabytes = math.ceil(sum(item.bytes - item.here for item in wanted) / _MEGABYTE)
            for _ in progress(_megabytes(counts, len(futures)), "downloading", total=megabytes, unit="megabyte"):
                continue
        except BaseException:
            stop.set()
            raise
        finally:
            if stop.is_set():
                pool.shutdown(wait=True, cancel_futures=True)
    _raise_first(futures)
    if failures:
        raise UserError(f"all of {len(wanted):,} files", f"{len(failures):,} failures, first {failures[0]}",
                        "Start the same command again: what is there is kept.")


def _settle(file: RemoteFile, root: Path, patience: Patience, report: Callable[[int], None],
            stop: threading.Event) -> None:
    if stop.is_set():
        raise Stopped
    for again in (True, False):
        path = fetch(file, root, patience, report, stop)
        if file.unpack_to is None:
            return
        size = path.stat().st_size
        try:
            count = unpack(path, root / file.unpack_to, flatten=file.flatten)
        except HostileArchive:
            path.unlink()
            raise
        except BrokenArchive as error:
            path.unlink()
            if not again:
                raise
            logging.warning("%s, fetched again", error)
        else:
            write_json(mark_path(file, root), {"url": file.url, "bytes": size, "files": count})
            path.unlink()
            return


def _megabytes(counts: "queue.SimpleQueue[int | None]", files: int) -> Iterator[None]:
    """Yields once for each megabyte that came, until all files are done."""
    came = shown = 0
    while files:
        count = counts.get()
        if count is None:
            files -= 1
            continue
        came += count
        while shown < came // _MEGABYTE:
            shown += 1
            yield
    if came > shown * _MEGABYTE:
        yield


def _raise_first(futures: Sequence[Future]) -> None:
    errors = [future.exception() for future in futures if not future.cancelled() and future.exception()]
    for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
        raise error
