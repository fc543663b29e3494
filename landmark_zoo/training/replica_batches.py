"""An epoch's batches, handed to the devices of this process."""

import itertools
from collections.abc import Iterable

import tensorflow as tf


def replica_batches(batches: tf.data.Dataset, steps: int) -> Iterable:
    """Returns what a training step takes, step by step.

    TensorFlow shards nothing: `batches` holds this worker's rows already, in portions (`data.Share`).

    Args:
        batches: One element per step and device of this process.
        steps: How many steps they are for, the same on every worker. Knowing it saves a question to all workers per step.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return batches
    endless = batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return itertools.islice(strategy.distribute_datasets_from_function(lambda _: endless), steps)
