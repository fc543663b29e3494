"""An inverted file of ASMK."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_csv, read_json, write_csv, write_json, write_npy
from landmark_zoo.retrieval.rerank.asmk import Aggregated, selectivity
from landmark_zoo.retrieval.rerank.codebook import Codebook


class AsmkIndex:
    """Ranks index images by `asmk_similarity`, reading only the visual words that the query has.

    On disk it is a folder: the entries sorted by word (`words.npy` int64 [E], `images.npy` int64 [E], `bits.npy` uint8
    [E, ceil(D / 8)]), `ids.csv`, `asmk.json`, and the codebook.

    Args:
        codebook: What the photographs were aggregated by.

    Attributes:
        ids: Ids of the index images in the order of insertion.
    """

    def __init__(self, codebook: Codebook):
        self.codebook = codebook
        self.ids: list[str] = []
        self._dimension = codebook.centres.shape[1]
        self._words, self._images = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._bits = np.zeros((0, -(-self._dimension // 8)), np.uint8)

    def add(self, ids: Sequence[str], photographs: Sequence[Aggregated]) -> "AsmkIndex":
        """Adds index images.

        Args:
            ids: None that is there already.
            photographs: What `ASMK.describe` made of each.

        Raises:
            UserError: An id twice.
            ValueError: Another number of ids than of photographs.
        """
        if len(ids) != len(photographs):
            raise ValueError(f"Expected as many ids as photographs; received {len(ids)} and {len(photographs)}.")
        twice = len(set(ids)) < len(ids) or not set(ids).isdisjoint(self.ids)
        if twice:
            raise UserError("every id once", "one twice", "Remove the duplicate.")
        numbers = np.repeat(np.arange(len(self.ids), len(self.ids) + len(ids)), [len(each.words) for each in photographs])
        words = np.concatenate([self._words, *(each.words for each in photographs)])
        order = np.argsort(words, kind="stable")
        self._words, self._images = words[order], np.concatenate([self._images, numbers])[order]
        self._bits = np.concatenate([self._bits, *(each.bits for each in photographs)])[order]
        self.ids.extend(ids)
        return self

    def search(self, query: Aggregated, k: int) -> tuple[list[str], np.ndarray]:
        """Returns the ids of the `k` best index images and their similarities, float64; equal ones in order of insertion.

        Args:
            query: What `ASMK.describe_query` made of the photograph.
            k: At most as many as there are.
        """
        if k < 1:
            raise ValueError(f"Expected k of 1 or more; received {k}.")
        scores = np.zeros(len(self.ids))
        starts, ends = (np.searchsorted(self._words, query.words, side) for side in ("left", "right"))
        for bits, start, end in zip(query.bits, starts, ends, strict=True):
            scores[self._images[start:end]] += selectivity(bits, self._bits[start:end], self._dimension)
        counts = np.bincount(self._images, minlength=len(self.ids))
        scores /= np.sqrt(np.maximum(counts * len(query.words), 1))
        order = np.argsort(-scores, kind="stable")[:k]
        return [self.ids[number] for number in order], scores[order]

    def save(self, path: str | Path) -> None:
        """Writes the folder, all of it or nothing."""
        with atomic_directory(path) as folder:
            for name, array in self._arrays().items():
                write_npy(folder / f"{name}.npy", array)
            write_csv(folder / "ids.csv", ["id"], ([image_id] for image_id in self.ids))
            self.codebook.save(folder / "codebook")
            write_json(folder / "asmk.json", {"images": len(self.ids), "entries": len(self._words)})

    @classmethod
    def load(cls, path: str | Path) -> "AsmkIndex":
        """Reads a folder that `save` wrote; a UserError where there is none, or one whose files do not fit together."""
        path = Path(path)
        facts = read_json(path / "asmk.json")
        index = cls(Codebook.load(path / "codebook"))
        index.ids = [row["id"] for row in read_csv(path / "ids.csv", ["id"])]
        try:
            index._words, index._images, index._bits = (
                np.load(path / f"{name}.npy", allow_pickle=False) for name in index._arrays())
            lengths = {len(array) for array in index._arrays().values()} | {facts["entries"]}
            if len(lengths) > 1 or facts["images"] != len(index.ids) or index._images.max(initial=-1) >= len(index.ids):
                raise ValueError(f"{len(index.ids)} ids and arrays of lengths {sorted(lengths)}")
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"an ASMK index at {path}", f"{type(error).__name__}: {error}", "Build it again.") from error
        return index

    def __len__(self) -> int:
        return len(self.ids)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"words": self._words, "images": self._images, "bits": self._bits}
