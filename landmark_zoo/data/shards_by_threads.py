"""Record files written by this process."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

from landmark_zoo.core.progress import progress
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.make_record import MadeRecord, make_record
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.write_shard import write_shard

_AHEAD = 4


def shards_by_threads(directory: Path, plan: ShardPlan, todo: Sequence[tuple[str, list[Entry]]], *, strict: bool,
                      workers: int) -> None:
    """Writes record files one after the other, with threads that read and encode ahead.

    At most 4 photographs per worker are in memory.

    Args:
        directory: The folder of records.
        plan: Of the folder.
        todo: Name and photographs of each file that is wanted.
        strict: Stop at the first bad photograph.
        workers: The number of threads.

    Raises:
        UserError: (strict) a photograph is bad.
        OSError: The disk is full.
    """
    pictures = [entry for _, entries in todo for entry in entries]
    with ThreadPoolExecutor(workers) as pool:
        results = _in_order(pool, partial(_made, plan=plan), pictures, ahead=_AHEAD * workers)
        results = progress(results, f"writing {plan.split}", total=len(pictures))
        for name, entries in todo:
            write_shard(directory, name, islice(results, len(entries)), strict=strict)
        next(results, None)


def _made(entry: Entry, plan: ShardPlan) -> tuple[Entry, MadeRecord | BadPhotograph]:
    try:
        return entry, make_record(entry, plan.labels[entry.landmark_id], max_side=plan.max_side, upright=plan.upright)
    except BadPhotograph as bad:
        return entry, bad


def _in_order(pool: ThreadPoolExecutor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """Yields function(item) in the order of `items`, at most `ahead` of them begun or waiting."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
