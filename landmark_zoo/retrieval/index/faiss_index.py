"""FaissIndex: search on one machine, exact, or approximate and then smaller or faster."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, check_sha256, read_json, sha256, write_json
from landmark_zoo.retrieval.index.base import Index, check_fields, check_sealed, check_where, sealed
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS, IndexImages, search_faiss

_Found = tuple[np.ndarray, np.ndarray]  # scores and numbers, [N, k]


class FaissIndex(Index):
    """An index in memory, or memory-mapped from its file.

    - "flat" compares a query with every index image: exact; equal scores stand in the order of insertion.
    - "sq" does so with 8 bits per number: a quarter of the memory.
    - "hnsw" walks a graph (Malkov and Yashunin, TPAMI 2020): fast, more memory than flat. It cannot forget: a removed image
      stays in memory and is passed over.
    - "ivfpq" looks into the nearest of many lists of compressed embeddings (Jegou et al., TPAMI 2011): smallest.

    On disk it is a folder: `index.faiss`, `ids.csv` (number in faiss, id, fields) and `index.json` (kind, counts, model
    fingerprint, provenance, checksums of the others and of itself).

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `SavedModel.fingerprint` of the model that makes the embeddings.
        kind: One of `FAISS_KINDS`.

    Attributes:
        provenance: Provenance of the embeddings; saved.
    """

    def __init__(self, dimension: int, model_fingerprint: str, kind: str = "flat"):
        super().__init__(dimension, model_fingerprint)
        if kind not in FAISS_KINDS:
            raise UserError(f"the kind {', '.join(FAISS_KINDS)}", repr(kind), "Choose one of them.")
        self.kind, self.provenance = kind, {}
        self._mapped = False
        self._clear(0)

    @property
    def ids(self) -> list[str]:
        """Ids of the index images in the order of insertion."""
        return self._images.ids

    def fit(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None) -> Self:
        self._check_new(ids, vectors)
        fields = check_fields(fields, len(ids))
        return self.train(vectors).add(ids, vectors, fields)

    def train(self, vectors: np.ndarray, size: int | None = None) -> Self:
        """Empties the index and learns what its kind needs, for the `add` calls to come.

        Args:
            vectors: All embeddings or a sample, float32 [N, D].
            size: Number of images that there will be; None for N.

        Raises:
            UserError: Too few embeddings for this kind.
        """
        fewest = FAISS_KINDS[self.kind].min_training
        if len(vectors) < fewest:
            raise UserError(f"at least {fewest} embeddings to train an index of kind {self.kind}", f"{len(vectors)}",
                            "Use the kind flat.")
        self._check_writable()
        most = len(vectors) ** 2 // 64  # k-means wants an embedding for each of the 8 sqrt(size) lists
        self._clear(min(len(vectors) if size is None else size, most))
        self._index.train(vectors)
        return self

    def add(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None,
            skip_known: bool = False) -> Self:
        self._check_writable()
        self._check_new(ids, vectors)
        fields = check_fields(fields, len(ids))
        if not self._index.is_trained:
            raise UserError(f"an index of kind {self.kind} that was trained", "a new one", "Call fit or train first.")
        known = self.known(ids)
        if known and skip_known:
            rows = [row for row, image_id in enumerate(ids) if image_id not in known]
            ids, vectors = [ids[row] for row in rows], vectors[rows]
            fields = {name: [texts[row] for row in rows] for name, texts in fields.items()}
        else:
            self._check_absent(known)
        self._index.add_with_ids(vectors, self._images.add(ids, fields))
        return self

    def remove(self, ids: Sequence[str]) -> Self:
        self._check_writable()
        self._check_removable(ids)
        numbers = self._images.remove(ids)
        if FAISS_KINDS[self.kind].removes:
            self._index.remove_ids(numbers)
        return self

    def known(self, ids: Iterable[str]) -> set[str]:
        return self._images.known(ids)

    def search(self, vectors: np.ndarray, k: int,
               where: Mapping[str, str | Sequence[str]] | None = None) -> tuple[list[list[str]], np.ndarray]:
        positions, scores = self.search_positions(vectors, k, where)
        return [[self.ids[position] for position in row] for row in positions], scores

    def search_positions(self, vectors: np.ndarray, k: int,
                         where: Mapping[str, str | Sequence[str]] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns what `search` does, with positions in `ids` (int64) instead of the ids."""
        self._check_queries(vectors, k)
        where = check_where(where)
        if not self.ids:
            raise UserError("an index with images", "an empty one", "Add embeddings first.")
        allowed = self._images.matching(where) if where or self._index.ntotal > len(self) else None
        available = len(self) if allowed is None else int(allowed.sum())
        k = min(k, available)
        if k == 0 or len(vectors) == 0:
            return np.zeros((len(vectors), k), np.int64), np.zeros((len(vectors), k), np.float32)
        search = self._search_exactly if self.kind == "flat" else self._search_nearly
        scores, numbers = search(vectors, k, allowed, available)
        order = np.lexsort((numbers, -scores), axis=-1)[:, :k]
        return self._images.rows(np.take_along_axis(numbers, order, 1)), np.take_along_axis(scores, order, 1)

    def save(self, path: str | Path) -> None:
        with atomic_directory(path) as folder:
            self.write(folder)

    def write(self, folder: Path) -> None:
        """Writes the files of the index into a folder that is there."""
        try:
            faiss.write_index(self._index, str(folder / "index.faiss"))
        except RuntimeError as error:
            raise UserError(f"to write {folder}", str(error).splitlines()[-1], "Free some space.") from error
        self._images.save(folder / "ids.csv")
        write_json(folder / "index.json", sealed({
            "kind": self.kind, "count": len(self), "dimension": self.dimension, "next_number": self._images.next_number,
            "vectors_in_faiss": self._index.ntotal, "faiss_bytes": (folder / "index.faiss").stat().st_size,
            "faiss_sha256": sha256(folder / "index.faiss"), "ids_sha256": sha256(folder / "ids.csv"),
            "model_fingerprint": self.model_fingerprint, "provenance": self.provenance}))

    @classmethod
    def load(cls, path: str | Path, memory_map: bool = False) -> Self:
        """Reads a folder that `save` wrote.

        Args:
            path: The folder.
            memory_map: Leave the embeddings in the file. Such an index is read once, for its checksum, shared by processes
                and kept by the system as memory allows, but nothing can be added or removed.

        Raises:
            UserError: No index there, or files that do not fit together.
        """
        path = Path(path)
        facts = read_json(path / "index.json")
        try:
            _check_files(path, facts)
            index = cls(facts["dimension"], facts["model_fingerprint"], facts["kind"])
            index._index = faiss.read_index(str(path / "index.faiss"), faiss.IO_FLAG_MMAP_IFC if memory_map else 0)
            index._images = IndexImages.load(path / "ids.csv", facts["next_number"])
            index._mapped, index.provenance = memory_map, facts["provenance"]
            _check_contents(index._index, index._images, facts)
            check_sealed(path / "index.json", facts, beside="faiss_sha256")
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = "an unreadable index.faiss" if isinstance(error, RuntimeError) else str(error)
            raise UserError(f"an index at {path}", reason, "Make it again with experiments.index.") from error
        return index

    def __len__(self) -> int:
        return len(self.ids)

    def _search_exactly(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None, available: int) -> _Found:
        fetched = min(k + 1, available)
        scores, numbers = search_faiss(self._index, vectors, fetched, allowed)
        while fetched < available and (scores[:, -1] == scores[:, k - 1]).any():  # the tie may reach farther
            fetched = min(2 * fetched, available)
            scores, numbers = search_faiss(self._index, vectors, fetched, allowed)
        return scores, numbers

    def _search_nearly(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None, available: int) -> _Found:
        scores, numbers = search_faiss(self._index, vectors, k, allowed)
        short = (numbers < 0).any(axis=1)
        if short.any():
            scores[short], numbers[short] = search_faiss(self._index, vectors[short], k, allowed, thorough=True)
        return scores, numbers

    def _check_writable(self):
        if self._mapped:
            raise UserError("an index in memory to change", "one that is memory-mapped", "Load it without memory_map.")

    def _clear(self, size: int):
        self._images = IndexImages()
        self._index = FAISS_KINDS[self.kind].make(self.dimension, size)


def _check_files(path: Path, facts: dict[str, Any]) -> None:
    if facts["kind"] not in FAISS_KINDS:
        raise ValueError(f"one of kind {facts['kind']!r}")
    if (path / "index.faiss").stat().st_size != facts["faiss_bytes"]:
        raise ValueError(f"index.faiss of {(path / 'index.faiss').stat().st_size} bytes instead of {facts['faiss_bytes']}")
    if sha256(path / "ids.csv") != facts["ids_sha256"]:
        raise ValueError("an ids.csv that is not the one of index.faiss")
    if "faiss_sha256" in facts or "checksum" in facts:  # indexes of earlier releases have neither
        check_sha256(path, {"index.faiss": facts["faiss_sha256"]})


def _check_contents(index: faiss.Index, images: IndexImages, facts: dict[str, Any]) -> None:
    found = {"count": len(images), "dimension": index.d, "vectors_in_faiss": index.ntotal}
    for name, number in found.items():
        if number != facts[name]:
            raise ValueError(f"{name} {number} instead of {facts[name]}")
