"""Chosen records as an evaluation sees them."""

import numpy as np
import tensorflow as tf

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.labelled_batches import labelled_batches
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import RecordIndex
from landmark_zoo.data.records_at import records_at
from landmark_zoo.data.resize import resize_square


def selected_dataset(manifest: Manifest, index: RecordIndex, numbers: np.ndarray, *, image_size: int,
                     batch_size: int) -> tf.data.Dataset:
    """Returns the records of these numbers, in this order, decoded accurately and stretched to a square.

    Args:
        manifest: The records.
        index: Of these records.
        numbers: int [M], record numbers.
        image_size: Side of the square pictures, in pixels.
        batch_size: Pictures per batch; the last may hold fewer.

    Returns:
        (images float32 [B, image_size, image_size, 3] of values 0..255, labels int32 [B]).
    """
    def picture(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        del number
        return resize_square(decode_image(encoded), image_size)

    return labelled_batches(records_at(manifest, index, numbers).enumerate(), picture, manifest.num_classes, batch_size)
