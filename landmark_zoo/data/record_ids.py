"""The ids of records, in the order of their numbers."""

import tensorflow as tf

from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.schema import parse_example


def read_record_ids(manifest: Manifest) -> list[str]:
    """Returns the picture's id of each record, record n being the n-th of the manifest's files laid end to end.

    Reads all files once.
    """
    ids = tf.data.TFRecordDataset(manifest.files).map(lambda serialized: parse_example(serialized).id,
                                                      num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return [one.decode() for batch in ids.batch(1024).as_numpy_iterator() for one in batch]
