"""Which pictures of a batch show the same landmark."""

import tensorflow as tf


def same_label(labels: tf.Tensor) -> tf.Tensor:
    """Returns whether labels i and j are equal, bool [B, B], of int labels [B]."""
    labels = tf.convert_to_tensor(labels)
    if not labels.dtype.is_integer or labels.shape.rank != 1:
        raise ValueError(f"same_label: expected int labels [B]; received {labels.dtype.name} {labels.shape}.")
    return tf.equal(labels[:, tf.newaxis], labels)
