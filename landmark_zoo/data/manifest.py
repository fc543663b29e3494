"""Manifest of a folder of records: its record files, label map, counts, seed and source."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_json, write_json
from landmark_zoo.core.strict_json import check_form

VERSION = 1
MANIFEST = "manifest.json"
VALIDATION_LANDMARKS = "validation_landmarks"  # the split whose landmarks training does not see


class LabelMap:
    """One-to-one map between landmark ids and the labels 0 .. n-1.

    Labels follow the sorted ids: whole numbers first and by value.

    Example:
        >>> label_map = LabelMap(["taj_mahal", "10", "9", "9"])
        >>> list(label_map), label_map.label("10")
        (['9', '10', 'taj_mahal'], 1)

    Args:
        landmark_ids: Landmark ids in any order; repeated ones count once.
    """

    def __init__(self, landmark_ids: Iterable[str]):
        self.landmark_ids = tuple(sorted(set(landmark_ids), key=_sort_key))
        if not self.landmark_ids:
            raise UserError("at least one landmark", "none", "Check the source of the photographs.")
        self._labels = {landmark_id: label for label, landmark_id in enumerate(self.landmark_ids)}

    def label(self, landmark_id: str) -> int:
        """Returns the label of a landmark; an unknown one is a `UserError`."""
        if landmark_id not in self._labels:
            raise UserError(f"one of the {len(self)} landmarks of the label map", repr(landmark_id),
                            "Use the label map that was made from these photographs.")
        return self._labels[landmark_id]

    def landmark_id(self, label: int) -> str:
        """Returns the landmark of a label; one outside 0 .. n-1 is a `UserError`."""
        if not 0 <= label < len(self):
            raise UserError(f"a label from 0 to {len(self) - 1}", str(label), "Use the label map of this model.")
        return self.landmark_ids[label]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the ids in order; equal fingerprints mean equal labels."""
        return hashlib.sha256(json.dumps(self.landmark_ids).encode()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Writes the map as JSON."""
        write_json(path, {"fingerprint": self.fingerprint, "landmark_ids": self.landmark_ids})

    @classmethod
    def load(cls, path: str | Path) -> "LabelMap":
        """Reads a map that `save` wrote; one that was changed since is a `UserError`."""
        facts = read_json(path, {"landmark_ids": [str], "fingerprint": str})
        label_map = cls(facts["landmark_ids"])
        if (list(label_map), label_map.fingerprint) != (facts["landmark_ids"], facts["fingerprint"]):
            raise UserError(f"the label map of {path} as it was saved", "another order or content",
                            "Restore the file or prepare the records again.")
        return label_map

    def __len__(self) -> int:
        return len(self.landmark_ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.landmark_ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelMap) and self.landmark_ids == other.landmark_ids

    def __hash__(self) -> int:
        return hash(self.landmark_ids)


def _sort_key(landmark_id: str) -> tuple:
    whole = landmark_id.isascii() and landmark_id.isdecimal()
    return (0, int(landmark_id), landmark_id) if whole else (1, 0, landmark_id)


@dataclass(frozen=True)
class Shard:
    """Facts of one record file.

    Attributes:
        name: File name.
        examples: Number of records.
        bytes: File size in bytes.
        sha256: SHA-256 of the file's bytes.
    """

    name: str
    examples: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Content and origin of a folder of records, kept in its `manifest.json`.

    Attributes:
        directory: Path of the folder.
        split: Name of the split: "train", "validation", "test" or `VALIDATION_LANDMARKS`; "index" or "query" of a benchmark.
        label_map: Map between landmarks and labels.
        class_counts: Number of records of each label.
        shards: Record files, in order.
        skipped: Number of images left out as bad; `skipped.csv` lists them with the reason.
        seed: Random seed of the order of the records.
        max_side: Longest side allowed, in pixels; None for any.
        source: Description of the source of the images.
        plan: SHA-256 of everything that decides the content; equal plans give equal records.
        upright: True if images were turned as their EXIF orientation says.
        validation_landmarks: Fraction of the landmarks that was to be kept out of training, in `VALIDATION_LANDMARKS`
            beside this folder; None where nobody has said.
    """

    directory: Path
    split: str
    label_map: LabelMap
    class_counts: tuple[int, ...]
    shards: tuple[Shard, ...]
    skipped: int
    seed: int
    max_side: int | None
    source: str
    plan: str
    upright: bool = True
    validation_landmarks: float | None = None

    @cached_property
    def num_examples(self) -> int:
        """Number of records."""
        return sum(shard.examples for shard in self.shards)

    @property
    def num_classes(self) -> int:
        """Number of labels, including those without a record."""
        return len(self.label_map)

    @property
    def files(self) -> list[str]:
        """Absolute paths of the record files, in order."""
        return [str(self.directory.absolute() / shard.name) for shard in self.shards]

    @property
    def first_numbers(self) -> list[int]:
        """Number of each file's first record, in the order of `files`; see `RecordIndex`."""
        return [0, *itertools.accumulate(shard.examples for shard in self.shards)][:-1]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content: landmarks in the order of their labels, records per label, record files with checksums."""
        content = [list(self.label_map), list(self.class_counts), [asdict(shard) for shard in self.shards]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def save(self) -> None:
        """Writes `manifest.json` into the folder."""
        write_json(self.directory / MANIFEST, {
            "version": VERSION,
            "split": self.split,
            "num_examples": self.num_examples,
            "num_classes": self.num_classes,
            "skipped": self.skipped,
            "seed": self.seed,
            "max_side": self.max_side,
            "upright": self.upright,
            "source": self.source,
            "plan": self.plan,
            "shards": [asdict(shard) for shard in self.shards],
            "landmark_ids": list(self.label_map),
            "class_counts": list(self.class_counts),
            **({} if self.validation_landmarks is None else {"validation_landmarks": self.validation_landmarks}),
        })


SHARD_FORM = {"name": str, "examples": int, "bytes": int, "sha256": str}
MANIFEST_FORM = {"split": str, "num_examples": int, "num_classes": int, "skipped": int, "seed": int, "max_side": int | None,
                 "upright": bool | None, "source": str, "plan": str, "shards": [SHARD_FORM], "landmark_ids": [str],
                 "class_counts": [int], "validation_landmarks": float | None}


def read_manifest(directory: str | Path, *, check: bool = True) -> Manifest:
    """Reads the manifest of a folder of records and checks that the record files are there in full size.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> from landmark_zoo.data.datasets.folder import read_folder
        >>> from landmark_zoo.data.writer import write_records
        >>> root = tempfile.TemporaryDirectory()
        >>> Path(root.name, "photos", "petra").mkdir(parents=True)
        >>> Image.new("RGB", (64, 48)).save(Path(root.name, "photos", "petra", "1.jpg"))
        >>> images = read_folder([f"{root.name}/photos"])
        >>> _ = write_records(images, f"{root.name}/train", split="train", num_shards=1, seed=0, max_side=64)
        >>> manifest = read_manifest(f"{root.name}/train")
        >>> manifest.num_examples, manifest.label_map.landmark_id(0)
        (1, 'petra')

    Args:
        directory: Path of the folder.
        check: False reads it as it is.

    Raises:
        UserError: No manifest (the records are not finished), one of another version or that contradicts itself, or a
            record file that is missing or of another size.
    """
    directory = Path(directory)
    path = directory / MANIFEST
    if not path.is_file():
        raise UserError(f"finished records with a {MANIFEST} in {directory}", "none",
                        "Make them with experiments.prepare, or start it again to finish them.")
    facts, where = read_json(path), f"a manifest of records ({path})"
    check_form(facts, {"version": int}, where, "Prepare the records again.")
    if facts["version"] != VERSION:
        raise UserError(f"version {VERSION} of {path}", f"version {facts['version']}", "Prepare the records again.")
    check_form(facts, MANIFEST_FORM, where, "Prepare the records again.")
    manifest = Manifest(
        directory=directory, split=facts["split"], label_map=LabelMap(facts["landmark_ids"]),
        class_counts=tuple(facts["class_counts"]),
        shards=tuple(Shard(**{key: shard[key] for key in SHARD_FORM}) for shard in facts["shards"]),
        skipped=facts["skipped"], seed=facts["seed"], max_side=facts.get("max_side"), source=facts["source"],
        plan=facts["plan"], upright=facts.get("upright") is not False,
        validation_landmarks=facts.get("validation_landmarks"))
    for shard in manifest.shards:
        check_relative(shard.name, path)
    if check:
        _check_agreement(manifest, facts)
    return manifest


def _check_agreement(manifest: Manifest, facts: dict) -> None:
    if min((*manifest.class_counts, *(shard.examples for shard in manifest.shards)), default=0) < 0:
        raise UserError(f"numbers of records from 0 on in {manifest.directory / MANIFEST}", "one below",
                        "Prepare the records again.")
    examples = {facts["num_examples"], manifest.num_examples, sum(manifest.class_counts)}
    classes = {facts["num_classes"], manifest.num_classes, len(manifest.class_counts), len(facts["landmark_ids"])}
    if len(examples) > 1 or len(classes) > 1 or list(manifest.label_map) != facts["landmark_ids"]:
        raise UserError(f"a {MANIFEST} in {manifest.directory} that agrees with itself",
                        f"{sorted(examples)} records of {sorted(classes)} landmarks", "Prepare the records again.")
    for shard, file in zip(manifest.shards, manifest.files, strict=True):
        size = Path(file).stat().st_size if Path(file).is_file() else None
        if size != shard.bytes:
            raise UserError(f"{file} of {shard.bytes:,} bytes", "no such file" if size is None else f"{size:,} bytes",
                            "Copy the folder again or prepare it again.")
