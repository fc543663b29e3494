"""Fetching of images from many hosts: politely, with a list of dead links."""

import csv
import os
import queue
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, read_csv, remove_unfinished, write_csv
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.download.http import FetchError, HttpSession, RetryPolicy, TransientError

MAX_IMAGE_BYTES = 1 << 25
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_HEADER = ("id", "url", "reason")
_Item, _Result = TypeVar("_Item"), TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class ImageUrl:
    """The id and address of one image; a file is named after the id: only letters, digits, _ and -, or a `UserError`."""

    id: str
    url: str

    def __post_init__(self):
        if not _ID.fullmatch(self.id):
            raise UserError("ids of letters, digits, _ and -", repr(self.id), "Mend the list of addresses.")

    @property
    def host(self) -> str:
        """The server, or "" where the address is none of http or https."""
        try:
            parts = urlsplit(self.url)
            return parts.netloc.lower() if parts.scheme in ("http", "https") else ""
        except ValueError:
            return ""


class FetchedImages(NamedTuple):
    """Counts of images that are there, of dead links, and of addresses that did not answer and are asked again next time."""

    here: int
    dead: int
    unanswered: int


class DeadLinks:
    """A csv file of dead links (id, url, reason) that grows line by line; remove it to have all addresses tried again.

    A last line that an interruption cut is dropped when the list is opened; any other that is broken is a `UserError`.
    """

    def __init__(self, path: Path):
        data = path.read_bytes() if path.is_file() else b""
        whole = data[:data.rfind(b"\n") + 1]
        if not whole:
            write_csv(path, _HEADER, [])
        elif whole != data:
            with atomic_write(path, "wb") as file:
                file.write(whole)
        self.path, self.ids, self._lock = path, {row["id"] for row in read_csv(path, _HEADER)}, threading.Lock()

    def add(self, image: ImageUrl, reason: str) -> None:
        """Appends one line."""
        with self._lock, open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow((image.id, " ".join(image.url.split()), " ".join(reason.split())))
            self.ids.add(image.id)


def fetch_images(images: Iterable[ImageUrl], folder: str | Path, dead_links: str | Path, at_once: int = 16,
                 per_host: int = 4, policy: RetryPolicy | None = None) -> FetchedImages:
    """Fetches what is not there yet to `folder/<id>.jpg`; of one host never more than `per_host` at a time.

    Requests carry our name, wait as long as a server asks (Retry-After), and are repeated at most twice. Images that are
    there and links known to be dead are not asked for again.

    Args:
        images: Ids and addresses; the list is held in memory (GLDv1's 1.2 million take about 0.3 GB).
        folder: Where to.
        dead_links: The csv file of dead links.
        at_once: Connections in all.
        per_host: Connections to one host.
        policy: Time-outs and retries.

    Returns:
        The counts.

    Raises:
        UserError: An id that cannot be a file's name.
        OSError: The disk is full.
    """
    folder, session = Path(folder), HttpSession(policy or RetryPolicy(attempts=3))
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    dead, there, counts = DeadLinks(Path(dead_links)), set(os.listdir(folder)), Counter()
    waiting: dict[str, list[ImageUrl]] = defaultdict(list)
    for image in images:
        if f"{image.id}.jpg" in there:
            counts["here"] += 1
        elif image.id in dead.ids:
            counts["dead"] += 1
        else:
            waiting[image.host].append(image)

    def work(image: ImageUrl) -> str:
        try:
            fetch_image(image, folder / f"{image.id}.jpg", session)
        except FetchError as error:
            dead.add(image, error.reason)
            return "dead"
        except TransientError as error:
            logging.log_first_n(logging.WARNING, "%s: %s", 20, image.url, error.reason)
            return "unanswered"
        return "here"

    lanes = [listed[lane::per_host] for lane in range(per_host) for listed in waiting.values() if len(listed) > lane]
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for outcome in progress(take_turns(work, lanes, pool), "fetching images", sum(map(len, lanes))):
                counts[outcome] += 1
        except BaseException:
            session.stop.set()
            raise
    return FetchedImages(counts["here"], counts["dead"], counts["unanswered"])


def fetch_image(image: ImageUrl, path: Path, session: HttpSession, max_bytes: int = MAX_IMAGE_BYTES) -> None:
    """Fetches one image, whole or not at all.

    Raises:
        FetchError: The link is dead: the server says so, or what it sends is no image or has more than `max_bytes`.
        TransientError: The server did not answer properly as often as it was asked; it may tomorrow.
        Stopped: `session.stop` was set.
    """
    if not image.host:
        raise FetchError(image.url, "no http address")
    data = session.read(image.url, max_bytes)
    if not data.startswith(_MAGIC):
        raise FetchError(image.url, "not an image")
    with atomic_write(path, "wb") as file:
        file.write(data)


def take_turns(work: Callable[[_Item], _Result], lanes: Sequence[list[_Item]], pool: Executor) -> Iterator[_Result]:
    """Yields `work(item)` as results come: the items of a lane one after another, the lanes in turns; empties them."""
    results: queue.SimpleQueue = queue.SimpleQueue()
    left = sum(map(len, lanes))

    def step(lane: list[_Item]) -> None:
        try:
            results.put((work(lane.pop()), None))
        except BaseException as error:
            results.put((None, error))
        else:
            if lane:
                pool.submit(step, lane)

    for lane in lanes:
        pool.submit(step, lane)
    for _ in range(left):
        result, error = results.get()
        if error:
            raise error
        yield result
