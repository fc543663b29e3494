"""Record format: `tf.train.Example` features of one image, writer and parser side by side."""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from landmark_zoo.core.files import sha256
from landmark_zoo.data.datasets.image_list import ImageEntry
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.image_ops import decode_image

_FEATURES = {
    "encoded": ("image/encoded", tf.string),
    "id": ("image/id", tf.string),
    "height": ("image/height", tf.int64),
    "width": ("image/width", tf.int64),
    "label": ("image/class/label", tf.int64),
    "landmark_id": ("image/class/landmark_id", tf.string),
}


class Example(NamedTuple):
    """Fields of one record: plain values when written, scalar tensors when parsed.

    Attributes:
        encoded: RGB JPEG (string).
        id: Image id in its source (string).
        height: Height in pixels (int64).
        width: Width in pixels (int64).
        label: Dense class label, 0-based (int64).
        landmark_id: Class as its source names it (string).
    """

    encoded: bytes | tf.Tensor
    id: str | tf.Tensor
    height: int | tf.Tensor
    width: int | tf.Tensor
    label: int | tf.Tensor
    landmark_id: str | tf.Tensor


def serialize_example(example: Example) -> bytes:
    """Returns the serialized `tf.train.Example`; equal examples give equal bytes.

    Example:
        >>> serialized = serialize_example(Example(b"jpeg", "0a1b", 480, 640, label=3, landmark_id="1842"))
        >>> int(parse_example(tf.constant(serialized)).label)
        3
    """
    features = {}
    for field, (key, dtype) in _FEATURES.items():
        value = getattr(example, field)
        if dtype == tf.int64:
            features[key] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            features[key] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.compat.as_bytes(value)]))
    record = tf.train.Example(features=tf.train.Features(feature=features))
    return record.SerializeToString(deterministic=True)


def parse_example(serialized: tf.Tensor) -> Example:
    """Parses one serialized record.

    Args:
        serialized: String scalar.

    Returns:
        An `Example` of scalar tensors; text is UTF-8.

    Raises:
        tf.errors.InvalidArgumentError: A feature is missing or of another type.
    """
    parsed = tf.io.parse_single_example(
        serialized, {key: tf.io.FixedLenFeature([], dtype) for key, dtype in _FEATURES.values()})
    return Example(**{field: parsed[key] for field, (key, _) in _FEATURES.items()})


@dataclass(frozen=True)
class MadeRecord:
    """Serialized record of an image, and the image's size before it was shrunk.

    Attributes:
        serialized: Bytes of the record.
        original_size: Height and width of the image before it was shrunk, in pixels.
    """

    serialized: bytes
    original_size: tuple[int, int]


def make_record(entry: ImageEntry, label: int, *, max_side: int | None, upright: bool = True) -> MadeRecord:
    """Reads an image and makes its record; equal files give equal bytes.

    Args:
        entry: Image to read.
        label: Label of its landmark.
        max_side: Longest side of the stored image, in pixels; None for any.
        upright: Turn the image as its EXIF orientation says.

    Raises:
        InvalidImageError: It cannot be read, or TensorFlow cannot decode the resulting JPEG.
    """
    image = read_image(entry.path, max_side=max_side, apply_exif=upright)
    try:
        decode_image(tf.constant(image.encoded))
    except tf.errors.InvalidArgumentError as error:
        raise InvalidImageError("damaged JPEG, refused by TensorFlow") from error
    example = Example(encoded=image.encoded, id=entry.id, height=image.height, width=image.width,
                      label=label, landmark_id=entry.landmark_id)
    return MadeRecord(serialize_example(example), (image.original_height, image.original_width))


def write_record_file(path: str | Path, records: Iterable[bytes]) -> tuple[int, int, str]:
    """Writes records under a temporary name and renames the file when all are on the disk.

    Args:
        path: Path of the file; its folder must exist.
        records: Serialized records, taken one at a time.

    Returns:
        The number of records, the file's size in bytes and its SHA-256.

    Raises:
        OSError: The disk is full (ENOSPC).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp")
    count = 0
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in records:
                writer.write(record)
                count += 1
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        facts = count, temporary.stat().st_size, sha256(temporary)
        os.replace(temporary, path)
    except tf.errors.ResourceExhaustedError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return facts
