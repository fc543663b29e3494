"""Loops over many items: progress, reading ahead in threads, a function in a child process, timing."""

import itertools
import math
import multiprocessing
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from absl import logging
from tqdm import tqdm

from landmark_zoo.core.errors import UserError, printable

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None, unit: str = "image",
             every_seconds: float = 20.0) -> Iterator[Item]:
    """Yields `items` and shows progress, speed and the time left: a bar on a terminal, log lines elsewhere.

    Args:
        items: Anything to iterate over.
        description: Name of the work, e.g. "embedding".
        total: Number of items, where `len(items)` does not tell.
        unit: Name of one item, in the singular.
        every_seconds: Seconds between two log lines where stderr is not a terminal.
    """
    description = printable(description)
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


def run_in_child_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a new process and returns what it returns; what it raises is raised here.

    For rewriting large graphs: TensorFlow keeps functions for the life of a process, and freed memory in pieces.

    Args:
        function: Function of a module's top level.
        *arguments: Arguments that pickle can carry; so must the result be.

    Raises:
        UserError: The process was killed, most likely for want of memory.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise UserError(f"{function.__name__} to end", "a process that was killed",
                            "Look for a lack of memory, and free some.") from error


Result = TypeVar("Result")


def read_ahead(read: Callable[[Item], Result], items: Iterable[Item], ahead: int, threads: int = 4) -> Iterator[Result]:
    """Yields `read(item)` in the order of `items`, with up to `ahead` results made in advance by threads.

    An exception of `read` is raised where its result would have been yielded.

    Args:
        read: Function that may run in several threads at once.
        items: Arguments of `read`.
        ahead: Largest number of results that wait; bounds the memory.
        threads: Number of reads at the same time.
    """
    items = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        waiting = deque(pool.submit(read, item) for item in itertools.islice(items, ahead))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(read, item) for item in itertools.islice(items, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def median_seconds(function: Callable[[], object], warmup: int = 1, repeats: int = 7, limit: float = math.inf) -> float:
    """Returns the median duration of a call in seconds.

    Example:
        >>> median_seconds(lambda: time.sleep(0.01), repeats=3) >= 0.01
        True

    Args:
        function: Called without arguments; must wait for its result where it computes asynchronously.
        warmup: Calls before the counted ones, e.g. for compilation.
        repeats: Number of counted calls.
        limit: Seconds after whose end no further call is counted.
    """
    for _ in range(warmup):
        function()
    seconds: list[float] = []
    while not seconds or (len(seconds) < repeats and sum(seconds) < limit):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
