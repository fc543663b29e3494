"""The faiss indexes on offer: what each is made of, what it needs, and how it is searched."""

import math
from collections.abc import Callable
from typing import NamedTuple

import faiss
import numpy as np


class FaissKind(NamedTuple):
    """One kind of index.

    Args:
        make: A function of the dimension and of the number of images to come, returning an empty index that takes numbers.
        min_training: How many embeddings it must see first; 0 for one that learns nothing.
        removes: Whether faiss can take an embedding out again.
    """

    make: Callable[[int, int], faiss.Index]
    min_training: int
    removes: bool


def _flat(dimension: int, size: int) -> faiss.Index:
    return faiss.IndexIDMap(faiss.IndexFlatIP(dimension))


def _scalar_quantiser(dimension: int, size: int) -> faiss.Index:
    quantiser = faiss.ScalarQuantizer.QT_8bit
    return faiss.IndexIDMap(faiss.IndexScalarQuantizer(dimension, quantiser, faiss.METRIC_INNER_PRODUCT))


def _hnsw(dimension: int, size: int) -> faiss.Index:
    graph = faiss.IndexHNSWFlat(dimension, 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = 80, 128
    return faiss.IndexIDMap(graph)


def _ivfpq(dimension: int, size: int) -> faiss.Index:
    lists = 2 ** int(math.log2(8 * math.sqrt(max(1, size))))
    codes = max(part for part in range(1, max(1, dimension // 4) + 1) if dimension % part == 0)
    index = faiss.IndexIVFPQ(faiss.IndexFlatIP(dimension), dimension, lists, codes, 8, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = min(lists, 16 + lists // 64)
    index.cp.max_points_per_centroid, index.pq.cp.niter = 32, 10  # more costs minutes and brings nothing to be seen
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    return index


FAISS_KINDS = {
    "flat": FaissKind(_flat, min_training=0, removes=True),
    "ivfpq": FaissKind(_ivfpq, min_training=256, removes=True),
    "hnsw": FaissKind(_hnsw, min_training=0, removes=False),
    "sq": FaissKind(_scalar_quantiser, min_training=1, removes=True),
}


def search_faiss(index: faiss.Index, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None,
                 thorough: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Returns the scores and numbers of the `k` nearest, float32 and int64 [N, k]; number -1 where none was found.

    Args:
        index: One of `FAISS_KINDS`, filled.
        vectors: float32 [N, D].
        k: How many.
        allowed: For each number whether it may be found, bool [M]; None for all.
        thorough: Look at every allowed embedding instead of at the parts that promise most.
    """
    selector = None if allowed is None else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    if isinstance(index, faiss.IndexIVFPQ):
        lists = index.nlist if thorough else index.nprobe
        return index.search(vectors, k, params=faiss.SearchParametersIVF(sel=selector, nprobe=lists))
    inner = faiss.downcast_index(index.index)
    if not isinstance(inner, faiss.IndexHNSW):
        return index.search(vectors, k, params=faiss.SearchParameters(sel=selector))
    if thorough:  # nothing was ever taken out of a graph, so the place in its storage is the number
        return inner.storage.search(vectors, k, params=faiss.SearchParameters(sel=selector))
    return index.search(vectors, k, params=faiss.SearchParametersHNSW(sel=selector, efSearch=inner.hnsw.efSearch))
