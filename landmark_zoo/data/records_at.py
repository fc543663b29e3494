"""Records in an order of one's own."""

import numpy as np
import tensorflow as tf

from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import FRAME_BYTES, RecordIndex

_READERS = 16


def records_at(manifest: Manifest, index: RecordIndex, numbers: np.ndarray) -> tf.data.Dataset:
    """Returns the records of these numbers, in this order, each read by itself and checked by its checksum.

    Args:
        manifest: The records.
        index: Of these records.
        numbers: int [M], each from 0 to N - 1, any number any number of times.

    Returns:
        Serialized records (string scalars).

    Raises:
        ValueError: Numbers that are no records.
        tf.errors.DataLossError: (while reading) a record file is damaged, cut off or not the indexed one.
    """
    numbers = np.asarray(numbers)
    if numbers.ndim != 1 or (numbers.size and not (
            np.issubdtype(numbers.dtype, np.integer) and numbers.min() >= 0 and numbers.max() < len(index))):
        raise ValueError(f"Expected record numbers [M] from 0 to {len(index) - 1}; received {numbers!r}.")
    numbers = numbers.astype(np.int64)
    files = tf.constant(manifest.files)

    def read(file: tf.Tensor, offset: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        rest_of_file = tf.raw_ops.TFRecordDatasetV2(filenames=[files[file]], compression_type="", byte_offsets=[offset],
                                                    buffer_size=length + FRAME_BYTES)
        records = tf.data.experimental.from_variant(rest_of_file, tf.TensorSpec([], tf.string))
        return records.take(1).get_single_element()

    places = tf.data.Dataset.from_tensor_slices((index.file[numbers], index.offset[numbers], index.length[numbers]))
    return places.map(read, num_parallel_calls=_READERS, deterministic=True)
