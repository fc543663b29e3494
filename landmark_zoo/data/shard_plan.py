"""What a folder of records shall hold, decided before anything is written."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.label_map import LabelMap


@dataclass(frozen=True)
class ShardPlan:
    """Everything that decides what is written, and nothing else.

    Attributes:
        catalogue: The photographs.
        split: "train", "validation" or "test".
        num_shards: The number of record files.
        seed: Of the order.
        max_side: The longest side of the stored pictures, in pixels; None for any.
        label_map: Label of each landmark.
        upright: Whether pictures are turned as their EXIF orientation says.
    """

    catalogue: Catalogue
    split: str
    num_shards: int
    seed: int
    max_side: int | None
    label_map: LabelMap
    upright: bool = True

    @cached_property
    def entries(self) -> list[Entry]:
        """The photographs in the order in which they are written: by the SHA-256 of seed and id."""
        return sorted(self.catalogue, key=lambda e: hashlib.sha256(f"order/{self.seed}/{e.id}".encode()).digest())

    @cached_property
    def labels(self) -> dict[str, int]:
        """The label of each landmark that occurs; one that the label map does not know is a `UserError`."""
        return {landmark: self.label_map.label(landmark) for landmark in self.catalogue.landmark_counts}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the settings and of every photograph's id, path and landmark."""
        digest = hashlib.sha256()
        for fact in (self.split, self.num_shards, self.seed, self.max_side, self.label_map.fingerprint):
            digest.update(f"{fact}\n".encode())
        if not self.upright:
            digest.update(b"as stored\n")
        for entry in self.entries:
            digest.update(f"{entry.id}\t{entry.path}\t{entry.landmark_id}\n".encode())
        return digest.hexdigest()

    def shards(self) -> Iterator[tuple[str, list[Entry]]]:
        """Yields each record file's name and photographs; the files differ by at most one photograph."""
        bounds = [len(self.entries) * number // self.num_shards for number in range(self.num_shards + 1)]
        for number, (start, stop) in enumerate(pairwise(bounds)):
            yield f"{self.split}-{number:05d}-of-{self.num_shards:05d}.tfrecord", self.entries[start:stop]
