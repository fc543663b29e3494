"""Without a strategy; two devices are in two_devices.py."""

import tensorflow as tf

from landmark_zoo.training.replica_batches import replica_batches


def test_alone_they_are_the_batches():
    batches = tf.data.Dataset.range(6).batch(2)
    assert [list(batch.numpy()) for batch in replica_batches(batches, 3)] == [[0, 1], [2, 3], [4, 5]]
