"""What the replicas of a step put together."""

import tensorflow as tf


def gathered(rows: tf.Tensor) -> tf.Tensor:
    """Returns the rows of all replicas, one replica's after another's, where a step runs on several; else `rows`.

    The gradient goes back to the replica that a row came from: the mean over the replicas of the gradients of a loss on all
    rows is the gradient of that loss.

    Args:
        rows: [b, ...], of the same shape on every replica.

    Returns:
        [replicas * b, ...].
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return rows
    every = replica.all_gather(tf.identity(rows), axis=0)  # an argument of the step itself lies on no device
    every.set_shape([None, *rows.shape[1:]])
    return every
