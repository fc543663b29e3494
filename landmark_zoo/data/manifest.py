"""The facts about a folder of records, kept beside them."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.label_map import LabelMap

VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Shard:
    """One record file.

    Attributes:
        name: Its file name.
        examples: The number of records in it.
        bytes: Its size.
        sha256: Of its bytes.
    """

    name: str
    examples: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a folder of records holds and how it was made.

    Attributes:
        directory: The folder.
        split: "train", "validation" or "test"; "index" or "query" of a benchmark.
        label_map: Label <-> landmark.
        class_counts: The number of records of each label.
        shards: The record files, in order.
        skipped: The number of photographs left out as bad; `skipped.csv` names them with the reason.
        seed: What the records were shuffled with.
        max_side: The longest side allowed, in pixels; None for any.
        source: Where the photographs came from.
        plan: SHA-256 of everything that decides what is written; equal plans give equal records.
        upright: Whether pictures were turned as their EXIF orientation says.
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

    @cached_property
    def num_examples(self) -> int:
        """The number of records."""
        return sum(shard.examples for shard in self.shards)

    @property
    def num_classes(self) -> int:
        """The number of labels, those without a record included."""
        return len(self.label_map)

    @property
    def files(self) -> list[str]:
        """Absolute paths of the record files, in order."""
        return [str(self.directory.absolute() / shard.name) for shard in self.shards]

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
        })


def read_manifest(directory: str | Path, *, check: bool = True) -> Manifest:
    """Reads a folder's manifest and checks that its record files are there in full size.

    Args:
        directory: The folder.
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
    facts = read_json(path)
    try:
        if facts["version"] != VERSION:
            raise UserError(f"version {VERSION} of {path}", f"version {facts['version']}", "Prepare the records again.")
        manifest = Manifest(
            directory=directory, split=facts["split"], label_map=LabelMap(facts["landmark_ids"]),
            class_counts=tuple(facts["class_counts"]), shards=tuple(Shard(**shard) for shard in facts["shards"]),
            skipped=facts["skipped"], seed=facts["seed"], max_side=facts["max_side"], source=facts["source"],
            plan=facts["plan"], upright=facts.get("upright", True))
    except (KeyError, TypeError) as error:
        raise UserError(f"a manifest of records in {path}", f"{type(error).__name__}: {error}",
                        "Prepare the records again.") from error
    if check:
        _check(manifest, facts)
    return manifest


def _check(manifest: Manifest, facts: dict) -> None:
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
