"""Kinds of faiss index (flat, sq, hnsw, ivfpq), and the ids and fields of the images in one."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np

from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.retrieval.index.base import FIELDS


class FaissKind(NamedTuple):
    """One kind of index.

    Args:
        make: A function of the dimension and of the number of images to come, returning an empty index that takes numbers.
        min_training: Number of embeddings it must see first; 0 for one that learns nothing.
        removes: faiss can take an embedding out again.
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
        k: Number of results.
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


class IndexImages:
    """The table from the numbers that faiss knows to the ids that the user knows, in the order of insertion.

    A number is given once and not given again after its image is removed.

    Attributes:
        ids: Ids of the images.
        fields: For each of `FIELDS` one text per image.
        numbers: int64 [N], rising.
        next_number: Number that the next image will get.
    """

    def __init__(self):
        self.ids: list[str] = []
        self.fields: dict[str, list[str]] = {name: [] for name in FIELDS}
        self.numbers = np.zeros(0, np.int64)
        self.next_number = 0
        self._row = {}

    def add(self, ids: Sequence[str], fields: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Appends images, and returns their numbers, int64 [N]."""
        numbers = np.arange(self.next_number, self.next_number + len(ids))
        self._row.update(zip(ids, range(len(self.ids), len(self.ids) + len(ids)), strict=True))
        self.ids.extend(ids)
        for name in FIELDS:
            self.fields[name].extend(fields[name])
        self.numbers = np.concatenate([self.numbers, numbers])
        self.next_number += len(ids)
        return numbers

    def remove(self, ids: Iterable[str]) -> np.ndarray:
        """Removes images, and returns the numbers that they had, int64 [N]."""
        gone = np.zeros(len(self.ids), bool)
        gone[[self._row[image_id] for image_id in ids]] = True
        kept = np.flatnonzero(~gone)
        removed = self.numbers[gone]
        self.ids = [self.ids[row] for row in kept]
        self.fields = {name: [texts[row] for row in kept] for name, texts in self.fields.items()}
        self.numbers = self.numbers[kept]
        self._row = {image_id: row for row, image_id in enumerate(self.ids)}
        return removed

    def known(self, ids: Iterable[str]) -> set[str]:
        """Returns those of `ids` that are in the table."""
        return {image_id for image_id in ids if image_id in self._row}

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the places in `ids` of images by their numbers, int64 of the same shape."""
        return np.searchsorted(self.numbers, numbers)

    def matching(self, where: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Returns whether each number belongs to an image that is there and has these fields, bool [next_number]."""
        matching = np.ones(len(self.ids), bool)
        for name, texts in where.items():
            allowed = set(texts)
            matching &= np.fromiter((text in allowed for text in self.fields[name]), bool, len(self.ids))
        by_number = np.zeros(self.next_number, bool)
        by_number[self.numbers[matching]] = True
        return by_number

    def save(self, path: Path) -> None:
        """Writes a csv table with the columns number, id and `FIELDS`."""
        write_csv(path, ["number", "id", *FIELDS], zip(self.numbers, self.ids, *self.fields.values(), strict=True))

    @classmethod
    def load(cls, path: Path, next_number: int) -> "IndexImages":
        """Reads a table that `save` wrote."""
        images = cls()
        numbers = []
        for row in read_csv(path, ["number", "id", *FIELDS]):
            numbers.append(int(row["number"]))
            images.ids.append(row["id"])
            for name in FIELDS:
                images.fields[name].append(row[name])
        images.numbers, images.next_number = np.array(numbers, np.int64), next_number
        images._row = {image_id: row for row, image_id in enumerate(images.ids)}
        return images

    def __len__(self) -> int:
        return len(self.ids)
