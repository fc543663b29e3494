"""Reading files while something slower works on those read before."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(read: Callable[[Item], Result], items: Iterable[Item], ahead: int, threads: int = 4) -> Iterator[Result]:
    """Yields `read(item)` in the order of `items`, with up to `ahead` results made in advance by threads.

    An exception of `read` is raised where its result would have been yielded.

    Args:
        read: Is called in several threads at once.
        items: What to read.
        ahead: How many results may wait; bounds the memory.
        threads: How many reads run at once.
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
