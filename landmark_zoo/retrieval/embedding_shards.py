"""Finished parts of a long run of embedding."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import read_json, write_json, write_npy
from landmark_zoo.retrieval.photographs_checksum import photographs_checksum
from landmark_zoo.retrieval.picture import Picture


class EmbeddingShards:
    """Saves the work every `size` pictures, and knows after an interruption what is left.

    A shard is two files: `00000.json` with the checksum of its pictures and the reason for each one skipped, then
    `00000.npy` with the embeddings of the others. A picture that was mended meanwhile changes the checksum, and its
    shard is made again.

    Args:
        folder: Where the shards lie.
        pictures: All pictures of the run.
        size: Pictures per shard.
    """

    def __init__(self, folder: Path, pictures: Sequence[Picture], size: int):
        self.folder, self.pictures, self.size = folder, pictures, size
        self.numbers = range(-(-len(pictures) // size))

    def missing(self, redo_skipped: bool = False, numbers: Sequence[int] | None = None) -> list[int]:
        """Returns the numbers of the shards still to be made.

        Args:
            redo_skipped: Whether shards with bad pictures count as missing.
            numbers: Which shards to look at; None for all.
        """
        return [number for number in (self.numbers if numbers is None else numbers)
                if not self._is_finished(number, redo_skipped)]

    def exists(self, number: int) -> bool:
        """Returns whether a shard was saved, be its pictures still the same or not."""
        return self._npy(number).exists() and self._json(number).exists()

    def pictures_of(self, number: int) -> Sequence[Picture]:
        """Returns the pictures of one shard."""
        return self.pictures[number * self.size:(number + 1) * self.size]

    def save(self, number: int, vectors: np.ndarray, skipped: dict[str, str]) -> None:
        """Writes a finished shard: the embeddings of its good pictures, and id and reason of each one skipped."""
        self._npy(number).unlink(missing_ok=True)
        write_json(self._json(number), {"photographs_sha256": photographs_checksum(self.pictures_of(number)),
                                        "skipped": skipped})
        write_npy(self._npy(number), vectors)

    def skipped(self) -> dict[str, str]:
        """Returns id and reason of every picture skipped."""
        return {name: reason for number in self.numbers
                for name, reason in self.skipped_of(number).items()}

    def skipped_of(self, number: int) -> dict[str, str]:
        """Returns id and reason of every picture of one shard that was skipped."""
        return read_json(self._json(number))["skipped"]

    def vectors(self) -> np.ndarray:
        """Returns the embeddings of all good pictures, float32 [N, D]."""
        return np.concatenate([self.vectors_of(number) for number in self.numbers])

    def vectors_of(self, number: int) -> np.ndarray:
        """Returns the embeddings of the good pictures of one shard, [n, D], which stay on disk until they are used."""
        return np.load(self._npy(number), mmap_mode="r", allow_pickle=False)

    def _is_finished(self, number: int, redo_skipped: bool) -> bool:
        if not self.exists(number):
            return False
        facts = read_json(self._json(number))
        if redo_skipped and facts["skipped"]:
            return False
        return facts["photographs_sha256"] == photographs_checksum(self.pictures_of(number))

    def _npy(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npy"

    def _json(self, number: int) -> Path:
        return self.folder / f"{number:05d}.json"
