"""Distances between all rows of a batch, with gradients that stay finite where rows coincide."""

import tensorflow as tf


def pairwise_distances(embeddings: tf.Tensor, squared: bool = False) -> tf.Tensor:
    """Returns |x_i - x_j| of all pairs, or its square, in float32.

    The squares come from dot products, whose rounding is about 1e-7 for vectors of length 1. A distance below 0.001 is
    therefore mostly noise: it counts as 0.001 and has no gradient, where the square root's own would be infinite.

    Args:
        embeddings: [B, D].
        squared: Whether to leave the square root out; squares reach down to 0.

    Returns:
        float32 [B, B]; the diagonal is that of coinciding rows.
    """
    embeddings = tf.cast(embeddings, tf.float32)
    lengths = tf.reduce_sum(embeddings**2, axis=-1)
    squares = lengths[:, tf.newaxis] + lengths - 2 * tf.matmul(embeddings, embeddings, transpose_b=True)
    return tf.maximum(squares, 0) if squared else tf.sqrt(tf.maximum(squares, 1e-6))
