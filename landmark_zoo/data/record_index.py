"""Record index: random access to single records of a TFRecord folder by number."""

import functools
import os
import struct
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_npy, write_npy
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.manifest import Manifest

RECORD_INDEX = "record_index.npy"
FRAME_BYTES = 16  # of a TFRecord besides its data: 8 length, 4 checksum of it, 4 checksum of the data
MAX_RECORD_BYTES = 2**29
_READERS = 16

_COLUMNS = np.dtype([("file", "<i4"), ("offset", "<i8"), ("length", "<i8"), ("label", "<i4"), ("height", "<i4"),
                     ("width", "<i4")])


@dataclass(frozen=True)
class RecordIndex:
    """Table of all records; record n is the n-th of the manifest's files laid end to end.

    Attributes:
        file: int32 [N], index of the manifest's file.
        offset: int64 [N], start of the record's frame in the file, in bytes.
        length: int64 [N], size of its data without the frame, in bytes.
        label: int32 [N], class label.
        height: int32 [N], height of the image in pixels.
        width: int32 [N], width of the image in pixels.
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
    """Loads the index beside the records, or makes it by reading them once and keeps it there.

    An index of other records is made anew. If the folder cannot be written, the index is made each time.

    Raises:
        UserError: A record file is damaged, cut off, or holds other records than the manifest says.
    """
    path = manifest.directory / RECORD_INDEX
    table = _load_table(path)
    if table is None or not _agrees_with(table, manifest):
        table = _scan_records(manifest)
        if not _agrees_with(table, manifest):
            raise UserError(f"the records that the manifest of {manifest.directory} counts", "others",
                            "Copy the folder again or prepare it again.")
        try:
            write_npy(path, table)
        except OSError as error:
            logging.warning("The index of the records is not kept (%s): every start reads them all.", error)
    return RecordIndex(**{name: np.ascontiguousarray(table[name]) for name in _COLUMNS.names})


def _load_table(path: Path) -> np.ndarray | None:
    try:
        table = read_npy(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        logging.warning("%s cannot be read (%s) and is made anew.", path, error)
        return None
    return table if isinstance(table, np.ndarray) and table.dtype == _COLUMNS and table.ndim == 1 else None


def _agrees_with(table: np.ndarray, manifest: Manifest) -> bool:
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


def open_records(files: Iterable[str]) -> tf.data.Dataset:
    """Returns the serialized records of TFRecord files, one file after another, after a look at the length of each.

    TensorFlow asks for as much memory as a record says that it is long, and the process dies where there is none: a length
    is held against the file's size before TensorFlow reads it. That costs one read of 12 bytes per record and process.

    Raises:
        UserError: A record that is longer than what is left of its file, or than 512 MiB.
    """
    files = list(files)
    check_frames(files)
    return tf.data.TFRecordDataset(files)


def check_frames(files: Iterable[str]) -> None:
    """Raises the `UserError` of `open_records`."""
    files = list(files)
    with ThreadPoolExecutor(_READERS) as pool:
        for file, (_, fault) in zip(files, pool.map(record_offsets, files), strict=True):
            if fault:
                raise UserError(f"whole records in {file}", fault, "Copy the folder again or prepare it again.")


def record_offsets(path: str | Path) -> tuple[np.ndarray, str | None]:
    """Returns the starts of a TFRecord file's records, int64 [N], in bytes, and what is wrong with the next, or None.

    Only lengths are read: a wrong checksum is TensorFlow's to find.
    """
    facts = os.stat(path)
    return _record_offsets(str(path), facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _record_offsets(path: str, size: int, _mtime_ns: int) -> tuple[np.ndarray, str | None]:
    offsets, offset, fault = [], 0, None
    with open(path, "rb", buffering=0) as file:
        while offset < size:
            head = os.pread(file.fileno(), 8, offset)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            if offset + length + FRAME_BYTES > size or length > MAX_RECORD_BYTES:
                fault = f"truncated record at {offset}: {length:,} bytes in a file of {size:,}"
                break
            offsets.append(offset)
            offset += length + FRAME_BYTES
    return np.array(offsets, np.int64), fault


def _scan_records(manifest: Manifest) -> np.ndarray:
    @tf.autograph.experimental.do_not_convert
    def facts(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        example = parse_example(serialized)
        return tf.strings.length(serialized), example.label, example.height, example.width

    parts = []
    for number, file in enumerate(progress(manifest.files, "indexing records", unit="file")):
        records = open_records([file]).map(facts, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
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


def read_records(manifest: Manifest, index: RecordIndex, numbers: np.ndarray) -> tf.data.Dataset:
    """Returns the records of these numbers, in this order, each read by itself and checked by its checksum.

    Args:
        manifest: Manifest of the records.
        index: Index of these records.
        numbers: int [M], record numbers from 0 to N - 1, any number any number of times.

    Returns:
        Dataset of serialized records (string scalars).

    Raises:
        ValueError: Numbers that are no records.
        UserError: Records at other places than the index says, or see `open_records`.
        tf.errors.DataLossError: (while reading) a record file is damaged, cut off or not the indexed one.
    """
    numbers = np.asarray(numbers)
    if numbers.ndim != 1 or (numbers.size and not (
            np.issubdtype(numbers.dtype, np.integer) and numbers.min() >= 0 and numbers.max() < len(index))):
        raise ValueError(f"Expected record numbers [M] from 0 to {len(index) - 1}; received {numbers!r}.")
    numbers = numbers.astype(np.int64)
    check_frames(manifest.files)
    for number, file in enumerate(manifest.files):
        if not np.array_equal(record_offsets(file)[0], index.offset[index.file == number]):
            raise UserError(f"the records that {manifest.directory / RECORD_INDEX} lists", f"others in {file}",
                            f"Remove {RECORD_INDEX}: it is made anew.")
    files = tf.constant(manifest.files)

    @tf.autograph.experimental.do_not_convert
    def read(file: tf.Tensor, offset: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        rest_of_file = tf.raw_ops.TFRecordDatasetV2(filenames=[files[file]], compression_type="", byte_offsets=[offset],
                                                    buffer_size=length + FRAME_BYTES)
        records = tf.data.experimental.from_variant(rest_of_file, tf.TensorSpec([], tf.string))
        return records.take(1).get_single_element()

    places = tf.data.Dataset.from_tensor_slices((index.file[numbers], index.offset[numbers], index.length[numbers]))
    return places.map(read, num_parallel_calls=_READERS, deterministic=True)


def read_record_ids(manifest: Manifest) -> list[str]:
    """Returns the image id of each record, in the order of `RecordIndex`; reads all files once."""
    ids = open_records(manifest.files).map(lambda serialized: parse_example(serialized).id,
                                           num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return [one.decode() for batch in ids.batch(1024).as_numpy_iterator() for one in batch]
