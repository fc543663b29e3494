"""What exact ranks in a million images cost, beside the matrix product alone and beside sorting."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from experiments.benchmarks.landmark_vectors import landmark_vectors
from landmark_zoo.core.files import write_npy
from landmark_zoo.evaluation.revisited import RevisitedBenchmark
from landmark_zoo.metrics.average_precision import average_precision
from landmark_zoo.metrics.dot_products import dot_products
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.metrics.ranks_by_counting import ranks_by_counting
from landmark_zoo.metrics.ranks_without_junk import ranks_without_junk

WAYS = ("product", "counting", "sorting")
_CHILD = "from experiments.benchmarks.evaluation import measure_one; import sys; measure_one(*sys.argv[1:])"
_LABELLED, _SHARD = (60, 40, 50), 250_000  # easy, hard, junk of each query


def measure_evaluation(images: int = 1_001_001, queries: int = 70, dimension: int = 512,
                       ways: Sequence[str] = WAYS) -> dict[str, float]:
    """Measures mAP of Easy, Medium and Hard with drawn embeddings in float16 shards, memory-mapped.

    Each way runs in a process of its own and reads the files twice; the second time counts:

    * "product": the float32 index in memory, times the queries, in one call of numpy;
    * "counting": `ranks_by_counting` from the shards;
    * "sorting": the same scores, sorted and searched with `positive_ranks`.

    Returns:
        Seconds and MiB (the peak of the whole process) of each way; and the largest difference between the APs of counting
        and sorting where both were measured.
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="evaluation.") as folder:
        _write(Path(folder), images, queries, dimension)
        for way in ways:
            command = [sys.executable, "-c", _CHILD, way, folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[f"{way}_seconds"], found[f"{way}_mib"] = map(float, done.stdout.splitlines()[-1].split())
        if {"counting", "sorting"} <= set(ways):
            precisions = [np.load(f"{folder}/{way}.npy") for way in ("counting", "sorting")]
            found["largest_difference"] = float(np.abs(precisions[0] - precisions[1]).max())
    return found


def measure_one(way: str, folder: str) -> None:
    """Goes one way through the files in `folder`; prints seconds and MiB."""
    queries, labelled = (np.load(f"{folder}/{name}.npy") for name in ("queries", "labelled"))
    shards = [np.load(path, mmap_mode="r") for path in sorted(Path(folder).glob("shard*.npy"))]
    if way == "product":
        index = np.concatenate([shard.astype(np.float32) for shard in shards])
    for _ in range(2):
        start = time.perf_counter()
        if way == "product":
            np.matmul(queries, index.T)
            precisions = np.zeros(0)
        else:
            precisions = (_counted if way == "counting" else _sorted)(queries, shards, labelled)
        seconds = time.perf_counter() - start
    write_npy(f"{folder}/{way}.npy", precisions)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8")).group(1)
    print(f"{seconds:.6f} {int(peak) / 1024:.0f}")


def _counted(queries: np.ndarray, shards: Sequence[np.ndarray], labelled: np.ndarray) -> np.ndarray:
    with threadpool_limits(1, "blas"):  # as in evaluation.embedded_answers
        places = ranks_by_counting(queries, shards, labelled)
    return np.array([[average_precision(ranks_without_junk(positives, junk), len(positives), "trapezoid")
                      for positives, junk in _grades(found)] for found in places])


def _sorted(queries: np.ndarray, shards: Sequence[np.ndarray], labelled: np.ndarray) -> np.ndarray:
    rankings = np.argsort(-dot_products(queries, shards), axis=1, kind="stable")
    return np.array([[average_precision(positive_ranks(ranking, positives, junk), len(positives), "trapezoid")
                      for positives, junk in _grades(rows)] for ranking, rows in zip(rankings, labelled, strict=True)])


def _grades(labelled: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns positives and junk in each grade, of what stands in the order easy, hard, junk."""
    parts = dict(zip(RevisitedBenchmark.LABELS, np.split(labelled, np.cumsum(_LABELLED)[:-1]), strict=True))
    return [tuple(np.concatenate([parts[label] for label in labels]) for labels in grade)
            for grade in RevisitedBenchmark.GRADES.values()]


def _write(folder: Path, images: int, queries: int, dimension: int) -> None:
    """Writes queries, shards and the rows of each query's labelled images: half near it, half anywhere."""
    landmarks, random = max(1, images // 100), np.random.default_rng(0)
    asked = landmark_vectors(queries, dimension, landmarks, seed=1)
    near, labelled = [], np.empty((queries, sum(_LABELLED)), np.int64)
    for number, start in enumerate(range(0, images, _SHARD)):
        shard = landmark_vectors(min(_SHARD, images - start), dimension, landmarks, seed=2 + number)
        near.append(asked @ shard.T)
        write_npy(folder / f"shard{number}.npy", shard.astype(np.float16))
    scores = np.concatenate(near, axis=1)
    half = labelled.shape[1] // 2
    for query, row in enumerate(scores):
        best = np.argpartition(-row, half)[:half]
        others = random.permutation(np.setdiff1d(random.choice(images, 4 * half, replace=False), best))
        labelled[query] = random.permutation(np.concatenate([best, others[:half]]))
    write_npy(folder / "queries.npy", asked)
    write_npy(folder / "labelled.npy", labelled)
