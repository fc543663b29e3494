"""What a search costs in each kind of index: recall against exact, building, memory, disk, time per query."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.benchmarks.landmark_vectors import landmark_vectors
from landmark_zoo.core.files import read_csv, write_csv, write_npy
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS
from landmark_zoo.retrieval.index.index import Index
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex

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
        dimension: Of the embeddings.
        kinds: Those of `FAISS_KINDS`, and "milvus" for Milvus Lite.
        queries: How many.
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
