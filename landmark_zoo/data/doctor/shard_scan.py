"""Everything that checks want to know about one record file, read once."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import sha256
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.schema import parse_example

_AHEAD, _WORKERS = 64, 2


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record without its picture.

    Attributes:
        id: The picture's name.
        label: Its class number.
        landmark_id: Its class as the source names it.
        size: Height and width that the record states, in pixels.
        picture: Height and width of the decoded picture, or why there is none.
    """

    id: str
    label: int
    landmark_id: str
    size: tuple[int, int]
    picture: tuple[int, int] | str


@dataclass(frozen=True)
class ShardScan:
    """One record file.

    Attributes:
        name: Its file name.
        sha256: Of its bytes.
        records: Those that can be read, in order; text is what is wrong with one that is of another format.
        error: What ended the reading before the file's end, or None.
    """

    name: str
    sha256: str
    records: tuple[RecordFacts | str, ...]
    error: str | None


def scan_shard(path: str | Path) -> ShardScan:
    """Reads a record file: its checksum, each record, each picture. A few pictures are in memory at a time."""
    path = Path(path)
    records: list[RecordFacts | str] = []
    error = None
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            for batch in _batches(path):
                records.extend(pool.map(_facts, batch))
        except _ReadingEnds as end:
            records.extend(pool.map(_facts, end.batch))
            error = end.reason
    return ShardScan(path.name, sha256(path), tuple(records), error)


class _ReadingEnds(Exception):  # noqa: N818
    def __init__(self, batch: list[bytes], reason: str):
        self.batch, self.reason = batch, reason
        super().__init__(reason)


def _batches(path: Path) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            batch.append(record)
            if len(batch) == _AHEAD:
                yield batch
                batch = []
    except tf.errors.OpError as error:
        raise _ReadingEnds(batch, _plain(error)) from error
    yield batch


def _facts(record: bytes) -> RecordFacts | str:
    try:
        example = parse_example(record)
    except tf.errors.InvalidArgumentError as error:
        return _plain(error)
    try:
        picture = tuple(int(side) for side in decode_image(example.encoded).shape[:2])
    except tf.errors.InvalidArgumentError as error:
        picture = _plain(error)
    return RecordFacts(example.id.numpy().decode(errors="replace"), int(example.label),
                       example.landmark_id.numpy().decode(errors="replace"),
                       (int(example.height), int(example.width)), picture)


def _plain(error: tf.errors.OpError) -> str:
    """Returns what TensorFlow says, without the names of its nodes."""
    return re.sub(r"\{\{.*?\}\} *|\[?\[?Op:.*|\n.*", "", error.message).strip()
