"""Where each record lies and what it shows, so that records can be read in any order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_npy
from landmark_zoo.core.progress import progress
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.schema import parse_example

RECORD_INDEX = "record_index.npy"
FRAME_BYTES = 16  # of a TFRecord besides its data: 8 length, 4 checksum of it, 4 checksum of the data

_COLUMNS = np.dtype([("file", "<i4"), ("offset", "<i8"), ("length", "<i8"), ("label", "<i4"), ("height", "<i4"),
                     ("width", "<i4")])


@dataclass(frozen=True)
class RecordIndex:
    """One entry per record; record n is the n-th of the manifest's files laid end to end.

    Attributes:
        file: int32 [N], which of the manifest's files.
        offset: int64 [N], where its frame begins in the file, in bytes.
        length: int64 [N], the bytes of its data, without the frame.
        label: int32 [N].
        height: int32 [N], of the picture, in pixels.
        width: int32 [N], in pixels.
    """

    file: np.ndarray
    offset: np.ndarray
    length: np.ndarray
    label: np.ndarray
    height: np.ndarray
    width: np.ndarray

    def __len__(self) -> int:
        return len(self.file)


def read_record_index(manifest: Manifest) -> RecordIndex:
    """Loads the index beside the records, or makes it by reading them once and puts it there.

    An index of other records is made anew. Where the folder cannot be written, the index is made each time.

    Raises:
        UserError: A record file is damaged, cut off, or holds other records than the manifest says.
    """
    path = manifest.directory / RECORD_INDEX
    table = _load(path)
    if table is None or not _agrees(table, manifest):
        table = _scan(manifest)
        if not _agrees(table, manifest):
            raise UserError(f"the records that the manifest of {manifest.directory} counts", "others",
                            "Copy the folder again or prepare it again.")
        try:
            write_npy(path, table)
        except OSError as error:
            logging.warning("The index of the records is not kept (%s): every start reads them all.", error)
    return RecordIndex(**{name: np.ascontiguousarray(table[name]) for name in _COLUMNS.names})


def _load(path: Path) -> np.ndarray | None:
    try:
        table = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        logging.warning("%s cannot be read (%s) and is made anew.", path, error)
        return None
    return table if isinstance(table, np.ndarray) and table.dtype == _COLUMNS and table.ndim == 1 else None


def _agrees(table: np.ndarray, manifest: Manifest) -> bool:
    examples = np.array([shard.examples for shard in manifest.shards])
    if not np.array_equal(table["file"], np.repeat(np.arange(len(examples)), examples)):
        return False
    ends = table["offset"] + table["length"] + FRAME_BYTES
    sizes = np.array([shard.bytes for shard in manifest.shards])[examples > 0]
    first = np.cumsum(examples)[examples > 0] - examples[examples > 0]
    begins = np.concatenate([[0], ends[:-1]])[:len(ends)]
    begins[first] = 0
    labels = table["label"]
    return (np.array_equal(table["offset"], begins)
            and np.array_equal(ends[np.append(first[1:], len(ends)) - 1], sizes)
            and labels.min() >= 0
            and np.array_equal(np.bincount(labels, minlength=manifest.num_classes), manifest.class_counts))


def _scan(manifest: Manifest) -> np.ndarray:
    def facts(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        example = parse_example(serialized)
        return tf.strings.length(serialized), example.label, example.height, example.width

    parts = []
    for number, file in enumerate(progress(manifest.files, "indexing records", unit="file")):
        records = tf.data.TFRecordDataset(file).map(facts, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        try:
            rows = [np.stack(batch, axis=1) for batch in records.batch(1024).as_numpy_iterator()]
        except tf.errors.OpError as error:
            raise UserError(f"whole records in {file}", error.message,
                            "Copy the folder again or prepare it again.") from error
        length, label, height, width = np.concatenate([np.empty((0, 4), np.int64), *rows]).T
        part = np.empty(len(length), _COLUMNS)
        part["file"], part["length"], part["label"], part["height"], part["width"] = number, length, label, height, width
        part["offset"] = np.cumsum(length + FRAME_BYTES) - (length + FRAME_BYTES)
        parts.append(part)
    return np.concatenate(parts)
