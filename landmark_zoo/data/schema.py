"""The record format: what the writer puts in and the parser takes out."""

from typing import NamedTuple

import tensorflow as tf

_FEATURES = {
    "encoded": ("image/encoded", tf.string),
    "id": ("image/id", tf.string),
    "height": ("image/height", tf.int64),
    "width": ("image/width", tf.int64),
    "label": ("image/class/label", tf.int64),
    "landmark_id": ("image/class/landmark_id", tf.string),
}


class Example(NamedTuple):
    """One record: plain values when written, scalar tensors when parsed.

    Attributes:
        encoded: An RGB JPEG (string).
        id: The picture's name in its source (string).
        height: In pixels (int64).
        width: In pixels (int64).
        label: The dense class number, 0-based (int64).
        landmark_id: The class as its source names it (string).
    """

    encoded: bytes | tf.Tensor
    id: str | tf.Tensor
    height: int | tf.Tensor
    width: int | tf.Tensor
    label: int | tf.Tensor
    landmark_id: str | tf.Tensor


def serialize_example(example: Example) -> bytes:
    """Returns the record of `example`; equal examples give equal bytes."""
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
    """Parses one record.

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
