"""Speed, recall and memory of indexes, and of ranking among a million images."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from landmark_zoo.core.files import read_csv, write_csv, write_npy
from landmark_zoo.evaluation.oxford_paris import RevisitedBenchmark
from landmark_zoo.metrics.exact_ranks import dot_products, ranks_by_counting
from landmark_zoo.metrics.ranking import average_precision, positive_ranks, ranks_without_junk
from landmark_zoo.retrieval.index.base import Index
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex

_BLOCK = 10_000


def landmark_vectors(count: int, dimension: int, landmarks: int, seed: int) -> np.ndarray:
    """Draws unit vectors in small clusters, in a space in which few directions are strong.

    A landmark is a normal vector whose i-th number (from 1) has the standard deviation 1 / sqrt(i), set to length 1. An
    image is its landmark, each with the same chance, plus 0.7 times one more such vector, set to length 1. So two images
    of one landmark have a cosine of about 0.67, and those of two landmarks one about 0 with a deviation of about 0.2
    (D = 512).

    Args:
        count: Number of vectors.
        dimension: D.
        landmarks: Number of landmarks; they are the same for every seed.
        seed: Random seed of the images.

    Returns:
        float32 [count, D].
    """
    centres = _directions(np.random.default_rng([0, landmarks]), landmarks, dimension)
    random = np.random.default_rng([1, seed])
    vectors = np.empty([count, dimension], np.float32)
    for start in range(0, count, _BLOCK):
        block = vectors[start:start + _BLOCK]
        block[:] = centres[random.integers(0, landmarks, len(block))] + 0.7 * _directions(random, len(block), dimension)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def _directions(random: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    vectors = random.standard_normal([count, dimension], np.float32) / np.sqrt(np.arange(1, dimension + 1, dtype=np.float32))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


COLUMNS = ("images", "kind", "recall_at_10", "recall_at_100", "ms_per_query", "memory_mib", "disk_mib", "build_seconds")
KINDS = (*FAISS_KINDS, "milvus")
DEEPEST = 100
_CHILD = "from experiments.benchmarks import search; import sys; search.{}(*sys.argv[1:])"
_BATCH = 1000


def measure_search(output: str, sizes: Sequence[int] = (10_000, 100_000, 1_000_000), dimension: int = 512,
                   kinds: Sequence[str] = KINDS, queries: int = 100, limit_seconds: float = 3600) -> str:
    """Measures each kind at each size, and writes and returns a table.

    The embeddings are drawn by `landmark_vectors`, 20 to a landmark; the queries are other images of the same landmarks. A
    kind is built in one process, then loaded and searched in another, one query at a time, k = 100, with as many threads as
    there are cores. Memory is by how much the peak of the second process grows. Rows that stand in the file already are not
    measured again.

    Args:
        output: The csv file; the embeddings and the indexes lie beside it meanwhile.
        sizes: Numbers of images.
        dimension: Length of an embedding.
        kinds: Names of `FAISS_KINDS`, and "milvus" for Milvus Lite.
        queries: Number of queries.
        limit_seconds: A kind that takes longer than this, building or searching, gets a row without figures.
    """
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [tuple(row[column] for column in COLUMNS) for row in read_csv(path, COLUMNS)] if path.exists() else []
    for size in sizes:
        todo = [kind for kind in kinds if (str(size), kind) not in [row[:2] for row in rows]]
        if not todo:
            continue
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".search.") as folder:
            _write_vectors(Path(folder), size, dimension, queries)
            for kind in todo:
                rows.append((str(size), kind, *_measured(kind, folder, limit_seconds)))
                write_csv(path, COLUMNS, rows)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def build_one(kind: str, folder: str) -> None:
    """Builds an index of the embeddings in `folder`, and prints the seconds it took."""
    vectors = np.load(Path(folder) / "vectors.npy", mmap_mode="r")
    start = time.perf_counter()
    index = MilvusIndex(vectors.shape[1], "drawn", f"{folder}/milvus.db") if kind == "milvus" else \
        FaissIndex(vectors.shape[1], "drawn", kind).train(vectors)
    for first in range(0, len(vectors), _BATCH):
        batch = vectors[first:first + _BATCH]
        index.add([str(first + row) for row in range(len(batch))], batch)
    index.save(Path(folder) / kind)
    print(f"{time.perf_counter() - start:.1f}")


def search_one(kind: str, folder: str) -> None:
    """Searches the index in `folder`, and prints recalls, milliseconds per query and MiB of memory."""
    queries, truth = (np.load(Path(folder) / f"{name}.npy") for name in ("queries", "truth"))
    before = _peak_mib()
    index: Index = (MilvusIndex if kind == "milvus" else FaissIndex).load(Path(folder) / kind)
    index.search(queries[:1], DEEPEST)
    start = time.perf_counter()
    found = [index.search(query[None], DEEPEST)[0][0] for query in queries]
    milliseconds = 1000 * (time.perf_counter() - start) / len(queries)
    recalls = [np.mean([len(set(map(int, ids[:k])) & set(best[:k])) / k for ids, best in zip(found, truth, strict=True)])
               for k in (10, DEEPEST)]
    print(*(f"{recall:.3f}" for recall in recalls), f"{milliseconds:.2f}", f"{_peak_mib() - before:.0f}", sep=";")


def _measured(kind: str, folder: str, limit_seconds: float) -> list[str]:
    try:
        built, searched = (_printed(step, kind, folder, limit_seconds) for step in ("build_one", "search_one"))
    except subprocess.TimeoutExpired:
        return ["-"] * 5 + [f"> {limit_seconds:.0f}"]
    disk = sum(file.stat().st_size for place in Path(folder).glob(f"{kind}*") for file in place.rglob("*") if file.is_file())
    return [*searched.split(";"), f"{disk / 2**20:.0f}", built]


def _printed(step: str, kind: str, folder: str, limit_seconds: float) -> str:
    command = [sys.executable, "-c", _CHILD.format(step), kind, folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=limit_seconds)
    return done.stdout.splitlines()[-1]


def _write_vectors(folder: Path, size: int, dimension: int, queries: int) -> None:
    """Writes the embeddings, the queries and the exact ranks of the best `DEEPEST` images of each query."""
    landmarks = max(1, size // 20)
    vectors = landmark_vectors(size, dimension, landmarks, seed=0)
    asked = landmark_vectors(queries, dimension, landmarks, seed=1)
    write_npy(folder / "vectors.npy", vectors)
    write_npy(folder / "queries.npy", asked)
    write_npy(folder / "truth.npy", np.array([np.argsort(-(vectors @ query), kind="stable")[:DEEPEST] for query in asked]))


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


WAYS = ("product", "counting", "sorting")
_EVALUATION_CHILD = "from experiments.benchmarks.search import measure_one; import sys; measure_one(*sys.argv[1:])"
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
            command = [sys.executable, "-c", _EVALUATION_CHILD, way, folder]
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
