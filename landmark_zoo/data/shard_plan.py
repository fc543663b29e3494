"""Plan of a folder of records: order, division into record files, and the facts of the files already written."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, write_csv, write_json
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.manifest import SHARD_FORM, LabelMap, Shard

PROGRESS = ".progress"
IMAGE_LIST = "photographs.csv"
_COLUMNS = ("id", "path", "landmark_id", "original_height", "original_width")


@dataclass(frozen=True)
class ShardPlan:
    """Everything that decides the content of a folder of records.

    Attributes:
        image_list: Images to write.
        split: Name of the split, "train", "validation" or "test".
        num_shards: Number of record files.
        seed: Random seed of the order.
        max_side: Longest side of the stored images, in pixels; None for any.
        label_map: Map between landmarks and labels.
        upright: True to turn images as their EXIF orientation says.
    """

    image_list: ImageList
    split: str
    num_shards: int
    seed: int
    max_side: int | None
    label_map: LabelMap
    upright: bool = True

    @cached_property
    def entries(self) -> list[ImageEntry]:
        """Images in the order in which they are written, by the SHA-256 of seed and id."""
        return sorted(self.image_list, key=lambda e: hashlib.sha256(f"order/{self.seed}/{e.id}".encode()).digest())

    @cached_property
    def labels(self) -> dict[str, int]:
        """Label of each landmark that occurs; one that the label map does not know is a `UserError`."""
        return {landmark: self.label_map.label(landmark) for landmark in self.image_list.landmark_counts}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the settings and of every image's id, path and landmark."""
        digest = hashlib.sha256()
        for fact in (self.split, self.num_shards, self.seed, self.max_side, self.label_map.fingerprint):
            digest.update(f"{fact}\n".encode())
        if not self.upright:
            digest.update(b"as stored\n")
        for entry in self.entries:
            digest.update(f"{entry.id}\t{entry.path}\t{entry.landmark_id}\n".encode())
        return digest.hexdigest()

    def shards(self) -> Iterator[tuple[str, list[ImageEntry]]]:
        """Yields each record file's name and images; the files differ by at most one image."""
        bounds = [len(self.entries) * number // self.num_shards for number in range(self.num_shards + 1)]
        for number, (start, stop) in enumerate(pairwise(bounds)):
            yield f"{self.split}-{number:05d}-of-{self.num_shards:05d}.tfrecord", self.entries[start:stop]


@dataclass(frozen=True)
class ShardInfo:
    """Facts of a finished record file, kept in `.progress` until all files are written.

    Attributes:
        shard: Facts for the manifest.
        skipped: (id, path, reason) of each image that was left out as bad.
        original_sizes: (height, width) in pixels of each planned image before it was shrunk; None if it was left out.
    """

    shard: Shard
    skipped: tuple[tuple[str, str, str], ...]
    original_sizes: tuple[tuple[int, int] | None, ...]

    def save(self, directory: str | Path) -> None:
        """Writes the facts into the folder of records."""
        write_json(_info_path(directory, self.shard.name), asdict(self))

    def remove(self, directory: str | Path) -> None:
        """Removes the facts, so that the record file is written again."""
        _info_path(directory, self.shard.name).unlink()

    @classmethod
    def load(cls, directory: str | Path, name: str) -> "ShardInfo | None":
        """Reads the facts of a record file; None if the file or its facts are missing or it is of another size."""
        file, note = Path(directory, name), _info_path(directory, name)
        if not (file.is_file() and note.is_file()):
            return None
        facts = read_json(note, {"shard": SHARD_FORM, "skipped": [[str]], "original_sizes": [list | None]})
        shard = Shard(**facts["shard"])
        if file.stat().st_size != shard.bytes:
            return None
        return cls(shard, tuple(map(tuple, facts["skipped"])),
                   tuple(size and tuple(size) for size in facts["original_sizes"]))


def _info_path(directory: str | Path, name: str) -> Path:
    return Path(directory, PROGRESS, f"{name}.json")


def write_image_list(directory: str | Path, entries: Sequence[ImageEntry],
                     original_sizes: Sequence[tuple[int, int] | None]) -> None:
    """Writes `photographs.csv`.

    Args:
        directory: Folder of records.
        entries: All planned images, the bad ones too, in order.
        original_sizes: (height, width) in pixels of each image before it was shrunk; None if it was left out as bad.
    """
    write_csv(Path(directory, IMAGE_LIST), _COLUMNS, (
        (entry.id, entry.path, entry.landmark_id, *(size or ("", "")))
        for entry, size in zip(entries, original_sizes, strict=True)))


def read_original_sizes(directory: str | Path) -> dict[str, tuple[int, int] | None]:
    """Reads (height, width) before shrinking of each planned image, by id; None if it was left out as bad."""
    return {row["id"]: (int(row["original_height"]), int(row["original_width"])) if row["original_height"] else None
            for row in read_csv(Path(directory, IMAGE_LIST), _COLUMNS)}


def read_image_list(directory: str | Path) -> list[ImageEntry]:
    """Reads the planned images of a folder of records, in order.

    Raises:
        UserError: There is no list.
    """
    path = Path(directory, IMAGE_LIST)
    if not path.is_file():
        raise UserError(f"{IMAGE_LIST} in {directory}", "none", "Prepare the records again.")
    return [ImageEntry(row["id"], row["path"], row["landmark_id"]) for row in read_csv(path, _COLUMNS)]
