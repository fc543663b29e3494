"""Progress: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from absl import logging
from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None, unit: str = "image",
             every_seconds: float = 20.0) -> Iterator[Item]:
    """Yields `items` and shows how far it is, how fast, and the time left.

    Args:
        items: What is worked through.
        description: What is being done, e.g. "embedding".
        total: The number of items, where `len(items)` does not tell.
        unit: What one item is.
        every_seconds: The gap between two log lines where stderr is not a terminal.
    """
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    if sys.stderr.isatty():
        yield from tqdm(items, desc=description, total=total, unit=unit, dynamic_ncols=True)
        return
    start = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= every_seconds:
            last = now
            logging.info("%s", _line(description, done, total, unit, now - start))
    logging.info("%s", _line(description, done, total, unit, time.monotonic() - start))


def _line(description: str, done: int, total: int | None, unit: str, seconds: float) -> str:
    speed = done / max(seconds, 1e-9)
    of = f"/{total}" if total else ""
    left = f", {(total - done) / max(speed, 1e-9):.0f} s left" if total and total > done else ""
    return f"{description}: {done}{of} {unit}s, {speed:.1f} {unit}s/s{left}"
