"""Draws a whole collection to disk."""

import multiprocessing
import os
import signal
import threading
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import cv2
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json
from landmark_zoo.core.progress import progress
from landmark_zoo.data.synthetic.darkroom import Truth, take
from landmark_zoo.data.synthetic.schedule import Schedule, draw_schedule
from landmark_zoo.data.synthetic.size import Size
from landmark_zoo.data.synthetic.tables import write_gldv2_tables, write_revisited

VERSION = 1


def draw_collection(directory: str | Path, *, seed: int = 0, workers: int | None = None,
                    **sizes: int) -> dict[str, int]:
    """Draws a collection of landmarks: photographs and lists as Google Landmarks v2 and Revisited Oxford have them.

    The folder appears when it is complete; a complete one of the same arguments is left as it is. The pictures depend
    on the seed and the sizes alone.

    Args:
        directory: Where the collection shall be.
        seed: Of everything that is left to chance.
        workers: Processes that draw; by default one per processor. 1 draws in this process.
        **sizes: How much is drawn, by the names of `Size`; its defaults make about 2,500 pictures.

    Returns:
        The number of pictures in each part, and of landmarks.

    Raises:
        UserError: The folder exists and is something else.
        ValueError: A size is too small.
    """
    directory, size = Path(directory), Size(**sizes)
    facts = {"seed": seed, **asdict(size), "version": VERSION}
    if (directory / "collection.json").exists():
        return _existing(directory, facts)
    schedule = draw_schedule(seed, size)
    counts = _counts(schedule)
    with atomic_directory(directory) as folder:
        truths = {truth.path: truth for truth in _take_all(folder, seed, size.long_side, schedule, workers)}
        write_gldv2_tables(folder, seed, schedule, truths)
        write_revisited(folder / "revisited" / "gnd_synthetic.json", schedule, truths)
        write_json(folder / "collection.json", {"arguments": facts, "counts": counts})
    return counts


def _existing(directory: Path, facts: dict[str, int]) -> dict[str, int]:
    found = read_json(directory / "collection.json")
    if found.get("arguments") != facts:
        other = [f"{key} {found.get('arguments', {}).get(key)} instead of {value}" for key, value in facts.items()
                 if found.get("arguments", {}).get(key) != value]
        raise UserError(f"a collection of these arguments at {directory}", f"one with {', '.join(other)}",
                        "Choose another output folder or remove it.")
    logging.info("%s is drawn already", directory)
    return found["counts"]


def _take_all(folder: Path, seed: int, long_side: int, schedule: Schedule, workers: int | None) -> list[Truth]:
    """Draws every picture, one site after another; the order of the answer is left to chance."""
    by_site = defaultdict(list)
    for shot in schedule.shots:
        by_site[shot.site].append(shot)
    tasks = [(str(folder), seed, long_side, schedule.plans[site], shots)
             for site, shots in sorted(by_site.items(), key=lambda item: -len(item[1]))]
    workers = min(workers or len(os.sched_getaffinity(0)), len(tasks))
    if workers == 1:
        batches = (take(*task) for task in tasks)
        return list(progress((truth for batch in batches for truth in batch), "drawing", len(schedule.shots)))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)
    try:
        futures = [pool.submit(take, *task) for task in tasks]
        done = (truth for future in as_completed(futures) for truth in future.result())
        return list(progress(done, "drawing", len(schedule.shots)))
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Sets up a worker: one thread, deaf to Ctrl-C (its parent hears it), and gone when its parent is."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _counts(schedule: Schedule) -> dict[str, int]:
    parts = {name: len(getattr(schedule, name)) for name in ("train", "index", "test", "revisited_index",
                                                              "revisited_queries")}
    return {**parts, "train_landmarks": len({shot.label for shot in schedule.train}),
            "benchmark_landmarks": len({shot.label for shot in schedule.test} - {None})}
