"""Photographs from many servers of other people, without being a burden to any."""

import os
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from absl import logging

from landmark_zoo.core.progress import progress
from landmark_zoo.data.download.dead_links import DeadLinks
from landmark_zoo.data.download.faults import FetchError, PassingFault
from landmark_zoo.data.download.fetch_picture import fetch_picture
from landmark_zoo.data.download.patience import Patience
from landmark_zoo.data.download.picture_address import PictureAddress
from landmark_zoo.data.download.remove_unfinished import remove_unfinished


@dataclass(frozen=True)
class Fetched:
    """What became of a list of addresses.

    Attributes:
        here: Photographs that are there now.
        dead: Dead links, those of earlier runs included; `dead.csv` names them with the reason.
        unanswered: Addresses whose server did not answer properly this time; the next run asks again.
    """

    here: int
    dead: int
    unanswered: int


def fetch_pictures(addresses: Iterable[PictureAddress], folder: str | Path, dead_links: str | Path, at_once: int = 16,
                   per_host: int = 4, patience: Patience | None = None) -> Fetched:
    """Fetches what is not there yet to `folder/<id>.jpg`; of one server never more than `per_host` at a time.

    Requests carry our name, wait as long as a server asks (Retry-After), and are repeated at most twice. Photographs that
    are there and links known to be dead are not asked for again.

    Args:
        addresses: Names and addresses; the list is held in memory (GLDv1's 1.2 million take about 0.3 GB).
        folder: Where to.
        dead_links: The csv file of dead links.
        at_once: Connections in all.
        per_host: Connections to one server.
        patience: Time-outs and retries.

    Returns:
        The counts.

    Raises:
        UserError: An id that cannot be a file's name.
        OSError: The disk is full.
    """
    folder, patience, stop = Path(folder), patience or Patience(attempts=3), threading.Event()
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    dead, there, counts = DeadLinks(Path(dead_links)), set(os.listdir(folder)), Counter()
    waiting: dict[str, deque[PictureAddress]] = defaultdict(deque)
    for address in addresses:
        if f"{address.id}.jpg" in there:
            counts["here"] += 1
        elif address.id in dead.ids:
            counts["dead"] += 1
        else:
            waiting[address.host].append(address)

    def settle(address: PictureAddress) -> str:
        try:
            fetch_picture(address, folder / f"{address.id}.jpg", patience, stop)
        except FetchError as error:
            dead.add(address, error.reason)
            return "dead"
        except PassingFault as fault:
            logging.log_first_n(logging.WARNING, "%s: %s", 20, address.url, fault.reason)
            return "unanswered"
        return "here"

    total = sum(map(len, waiting.values()))
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for outcome in progress(_settled(pool, settle, waiting, at_once, per_host), "fetching photographs", total):
                counts[outcome] += 1
        except BaseException:
            stop.set()
            raise
    return Fetched(counts["here"], counts["dead"], counts["unanswered"])


def _settled(pool: ThreadPoolExecutor, settle: Callable[[PictureAddress], str],
             waiting: dict[str, deque[PictureAddress]], at_once: int, per_host: int) -> Iterator[str]:
    """Yields outcomes as they come; the hosts take turns."""
    running: dict[Future, str] = {}
    busy: Counter[str] = Counter()
    turns = deque(sorted(waiting))
    while turns or running:
        held = 0
        while turns and held < len(turns) and len(running) < at_once:
            host = turns.popleft()
            if busy[host] < per_host:
                running[pool.submit(settle, waiting[host].popleft())] = host
                busy[host] += 1
                held = 0
            else:
                held += 1
            if waiting[host]:
                turns.append(host)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            busy[running.pop(future)] -= 1
            yield future.result()
