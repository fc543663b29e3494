"""Verification of TFRecord folders: checksums, records, labels, images and label maps.

`verify_records` reads every record file once and runs all `check_*` functions on it. A check yields one line of text per
fault; `Finding` adds the split and the file.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.stats import gamma

from landmark_zoo.core.errors import UserError, printable
from landmark_zoo.core.files import read_json, sha256
from landmark_zoo.core.parallel import progress, read_ahead
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.data.manifest import (
    MANIFEST,
    MANIFEST_FORM,
    VALIDATION_LANDMARKS,
    LabelMap,
    Manifest,
    Shard,
    read_manifest,
)
from landmark_zoo.data.record_index import record_offsets

_AHEAD, _THREADS = 64, 2
_MIN_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Finding:
    """A fault in a folder of records.

    Attributes:
        split: Name of the split's folder.
        file: Name of the file in it.
        text: Description of the fault, one line.
    """

    split: str
    file: str
    text: str

    def __str__(self) -> str:
        return printable(f"{self.split}/{self.file}: {self.text}")


def verify_records(directory: str | Path) -> list[Finding]:
    """Returns all faults of a folder of records; an empty list means that the records are sound.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> from landmark_zoo.data.datasets.folder import read_folder
        >>> from landmark_zoo.data.writer import write_records
        >>> root = tempfile.TemporaryDirectory()
        >>> photos = Path(root.name, "photos", "taj_mahal")
        >>> photos.mkdir(parents=True)
        >>> Image.new("RGB", (64, 48), "white").save(photos / "1.jpg")
        >>> manifest = write_records(read_folder([photos.parent]), Path(root.name, "train"), split="train",
        ...                          num_shards=1, seed=0, max_side=64)
        >>> verify_records(root.name)
        []
        >>> Path(manifest.files[0]).unlink()
        >>> print(*verify_records(root.name))
        train/train-00000-of-00001.tfrecord: missing

    Args:
        directory: Folder of records, or one that holds several (train, validation, validation_landmarks, test).

    Raises:
        UserError: There are no records.
    """
    return list(iter_findings(directory))


def iter_findings(directory: str | Path) -> Iterator[Finding]:
    """Yields the faults of `verify_records` as they are found; a large collection takes hours."""
    places: dict[str, str] = {}
    first = None
    for folder in split_directories(directory):
        yield from _manifest_findings(folder)
        try:
            manifest = read_manifest(folder, check=False)
        except UserError as error:
            yield Finding(folder.name, MANIFEST, str(error))
            continue
        if first is not None and manifest.split == VALIDATION_LANDMARKS:
            if shared := sorted({*manifest.label_map} & {*first.label_map}):
                yield Finding(folder.name, MANIFEST, f"landmarks that {first.directory.name} has too, first {shared[0]}")
        elif first is not None and manifest.label_map != first.label_map:
            yield Finding(folder.name, MANIFEST, f"another label map than that of {first.directory.name}")
        first = first or manifest
        yield from _shard_findings(manifest, places)


def split_directories(directory: str | Path) -> list[Path]:
    """Returns the folders of records at or directly below `directory`; none is a `UserError`."""
    directory = Path(directory).absolute()
    found = [folder for folder in (directory, *sorted(directory.glob("*/")))
             if (folder / MANIFEST).is_file() or any(folder.glob("*.tfrecord"))]
    if not found:
        raise UserError(f"records in {directory}", "none" if directory.is_dir() else "no folder", "Check --data.")
    return found


def _manifest_findings(directory: Path) -> Iterator[Finding]:
    try:
        for text in check_label_map(read_json(directory / MANIFEST, MANIFEST_FORM)):
            yield Finding(directory.name, MANIFEST, text)
    except UserError:
        return  # read_manifest says it


def _shard_findings(manifest: Manifest, places: dict[str, str]) -> Iterator[Finding]:
    split = manifest.directory.name
    for name, text in check_files(manifest):
        yield Finding(split, name, text)
    found: Counter[int] = Counter()
    shards = [shard for shard in manifest.shards if (manifest.directory / shard.name).is_file()]
    complete = len(shards) == len(manifest.shards)
    for shard in progress(shards, f"examining {split}", unit="file"):
        scan = scan_shard(manifest.directory / shard.name)
        texts = chain(check_checksum(shard, scan), check_readable(scan), check_count(shard, scan),
                      check_labels(manifest, scan), check_images(scan), check_sizes(manifest, scan),
                      check_shuffling(manifest, scan), check_ids(split, scan, places))
        for text in texts:
            yield Finding(split, shard.name, text)
        complete = complete and scan.error is None
        found.update(record.label for _, record in scan.parsed())
    for text in check_class_counts(manifest, found) if complete else ():
        yield Finding(split, MANIFEST, text)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record without its pixels.

    Attributes:
        id: Image id.
        label: Class label.
        landmark_id: Class as its source names it.
        size: Height and width that the record states, in pixels.
        decoded: Height and width of the decoded image, or the reason why it cannot be decoded.
    """

    id: str
    label: int
    landmark_id: str
    size: tuple[int, int]
    decoded: tuple[int, int] | str


@dataclass(frozen=True)
class ShardScan:
    """Content of one record file.

    Attributes:
        name: File name.
        sha256: SHA-256 of the file's bytes.
        records: All records that can be read, in order; a string is the parse error of a record of another format.
        error: Reason why reading ended before the end of the file, or None.
    """

    name: str
    sha256: str
    records: tuple[RecordFacts | str, ...]
    error: str | None

    def parsed(self) -> Iterator[tuple[int, RecordFacts]]:
        """Yields (position in the file, record) of each record of the project's format."""
        return ((number, record) for number, record in enumerate(self.records) if isinstance(record, RecordFacts))


def scan_shard(path: str | Path) -> ShardScan:
    """Reads a record file: its checksum, every record, every image; at most 64 records are in memory."""
    path, errors = Path(path), []
    records = tuple(read_ahead(_record_facts, _serialized_records(path, errors), _AHEAD, _THREADS))
    return ShardScan(path.name, sha256(path), records, errors[0] if errors else None)


def _serialized_records(path: Path, errors: list[str]) -> Iterator[bytes]:
    """Yields the records; an error ends them and is appended to `errors`."""
    offsets, fault = record_offsets(path)
    try:
        yield from tf.data.TFRecordDataset(str(path)).take(len(offsets)).as_numpy_iterator()
    except tf.errors.OpError as error:
        errors.append(_message(error))
    if fault:
        errors.append(fault)


def _record_facts(serialized: bytes) -> RecordFacts | str:
    try:
        example = parse_example(serialized)
    except tf.errors.InvalidArgumentError as error:
        return _message(error)
    try:
        decoded = tuple(int(side) for side in decode_image(example.encoded).shape[:2])
    except tf.errors.InvalidArgumentError as error:
        decoded = _message(error)
    return RecordFacts(example.id.numpy().decode(errors="replace"), int(example.label),
                       example.landmark_id.numpy().decode(errors="replace"),
                       (int(example.height), int(example.width)), decoded)


def _message(error: tf.errors.OpError) -> str:
    """Returns TensorFlow's message without the names of graph nodes."""
    return re.sub(r"\{\{.*?\}\} *|\[?\[?Op:.*|\n.*", "", error.message).strip()


def check_label_map(facts: dict[str, Any]) -> Iterator[str]:
    """Checks that labels and landmarks are one to one and sorted, and that the manifest's counts agree.

    Args:
        facts: Content of `manifest.json`.
    """
    ids, counts = facts["landmark_ids"], facts["class_counts"]
    twice = [landmark for landmark, count in Counter(ids).items() if count > 1]
    if twice:
        yield f"the label map has {twice[0]!r} twice"
    elif list(LabelMap(ids)) != ids:
        yield "the label map is not in sorted order"
    if not facts["num_classes"] == len(ids) == len(counts):
        yield f"{facts['num_classes']:,} labels stated, {len(ids):,} in the label map, {len(counts):,} counted"
    total = sum(shard["examples"] for shard in facts["shards"])
    if not facts["num_examples"] == total == sum(counts):
        yield f"{facts['num_examples']:,} records stated, {total:,} in the files, {sum(counts):,} of all labels"


def check_files(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yields (file, fault) of each record file that is missing, of another size, or not in the manifest."""
    for shard in manifest.shards:
        path = Path(manifest.directory, shard.name)
        if not path.is_file():
            yield shard.name, "missing"
        elif path.stat().st_size != shard.bytes:
            yield shard.name, f"{path.stat().st_size:,} bytes instead of {shard.bytes:,}"
    expected = {shard.name for shard in manifest.shards}
    for path in sorted(Path(manifest.directory).glob("*.tfrecord")):
        if path.name not in expected:
            yield path.name, "not in the manifest"


def check_checksum(shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Checks a file's SHA-256 against the manifest."""
    if scan.sha256 != shard.sha256:
        yield f"SHA-256 {scan.sha256[:12]}... instead of {shard.sha256[:12]}..."


def check_readable(scan: ShardScan) -> Iterator[str]:
    """Checks that the file can be read to its end and that all its records have the project's format."""
    if scan.error:
        yield f"cannot be read past record {len(scan.records)}: {scan.error}"
    for number, record in enumerate(scan.records):
        if isinstance(record, str):
            yield f"record {number} is of another format: {record}"


def check_count(shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Checks the number of records against the manifest."""
    if len(scan.records) != shard.examples:
        yield f"{len(scan.records):,} records instead of {shard.examples:,}"


def check_labels(manifest: Manifest, scan: ShardScan) -> Iterator[str]:
    """Checks that each label is one of 0 .. n-1 and stands for the record's landmark."""
    for number, record in scan.parsed():
        where = f"record {number} ({record.id}): label {record.label}"
        if not 0 <= record.label < manifest.num_classes:
            yield f"{where}, not from 0 to {manifest.num_classes - 1}"
        elif (landmark := manifest.label_map.landmark_id(record.label)) != record.landmark_id:
            yield f"{where} is {landmark!r}, the record says {record.landmark_id!r}"


def check_images(scan: ShardScan) -> Iterator[str]:
    """Checks that TensorFlow decodes each image."""
    for number, record in scan.parsed():
        if isinstance(record.decoded, str):
            yield f"record {number} ({record.id}): cannot be decoded: {record.decoded}"


def check_sizes(manifest: Manifest, scan: ShardScan) -> Iterator[str]:
    """Checks that each record states its image's height and width, and that these are within the manifest's max_side."""
    for number, record in scan.parsed():
        if isinstance(record.decoded, str):
            continue
        height, width = record.decoded
        if record.size != record.decoded:
            yield (f"record {number} ({record.id}): {record.size[0]} x {record.size[1]} px stated, "
                   f"{height} x {width} in the image")
        elif manifest.max_side and max(record.decoded) > manifest.max_side:
            yield f"record {number} ({record.id}): {height} x {width} px, more than {manifest.max_side}"


def check_shuffling(manifest: Manifest, scan: ShardScan) -> Iterator[str]:
    """Checks that a file's landmarks may be a random draw from all files; records in source order are not."""
    labels = np.array([record.label for _, record in scan.parsed()], int)
    labels = labels[(labels >= 0) & (labels < manifest.num_classes)]
    counts = np.bincount(labels, minlength=manifest.num_classes)
    totals = np.array(manifest.class_counts)
    if len(totals) == len(counts) and imbalance_probability(counts, totals) < _MIN_PROBABILITY:
        most = int(counts.argmax())
        yield (f"landmarks are not mixed: {counts[most]:,} of its {len(labels):,} records show "
               f"{manifest.label_map.landmark_id(most)!r}, {totals[most]:,} of {totals.sum():,} in all files do")


def imbalance_probability(counts: np.ndarray, totals: np.ndarray) -> float:
    """Returns the probability that a random file departs at least as far from the class distribution of all files.

    Pearson's statistic; its mean and variance under draws of a multinomial (Cochran 1952; the classes with few images
    count in the variance), made smaller for draws without replacement, are matched by a gamma distribution.

    Args:
        counts: int [classes], records of each class in the file.
        totals: int [classes], records of each class in all files.

    Returns:
        A probability; 1 where the file is empty or the only one, or there are fewer than two classes.
    """
    known = totals > 0
    counts, totals = counts[known].astype(float), totals[known].astype(float)
    drawn, everything, classes = counts.sum(), totals.sum(), len(totals)
    if classes < 2 or not 0 < drawn < everything:
        return 1.0
    expected = drawn * totals / everything
    statistic = np.sum((counts - expected) ** 2 / expected)
    rest = (everything - drawn) / (everything - 1)
    mean = rest * (classes - 1)
    variance = rest ** 2 * (2 * (classes - 1) + (np.sum(everything / totals) - classes ** 2 - 2 * classes + 2) / drawn)
    if variance <= 0:
        return 1.0
    return float(gamma.sf(statistic, mean ** 2 / variance, scale=variance / mean))


def check_ids(split: str, scan: ShardScan, places: dict[str, str]) -> Iterator[str]:
    """Checks that no image id occurs twice in the files seen so far, of all splits.

    Args:
        split: Name of the split.
        scan: Content of the file.
        places: Id to "split/file" of its first record; the new ids of this file are added.
    """
    for number, record in scan.parsed():
        if record.id in places:
            yield f"record {number}: id {record.id} is also in {places[record.id]}"
        else:
            places[record.id] = f"{split}/{scan.name}"


def check_class_counts(manifest: Manifest, found: Counter[int]) -> Iterator[str]:
    """Checks the number of records of each label against the manifest.

    Args:
        manifest: Manifest of the folder.
        found: Number of records of each label in all files.
    """
    wrong = [label for label, count in enumerate(manifest.class_counts) if found[label] != count]
    if wrong:
        first = wrong[0]
        yield (f"{len(wrong):,} labels with other counts than in the files, first {first}: "
               f"{manifest.class_counts[first]:,}, not {found[first]:,}")
