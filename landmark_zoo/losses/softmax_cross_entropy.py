"""Softmax cross-entropy on int labels."""

import tensorflow as tf


def softmax_cross_entropy(labels: tf.Tensor, logits: tf.Tensor, label_smoothing: float = 0.0) -> tf.Tensor:
    """Returns -log softmax(logits)[label] of each row, in float32.

    Smoothing mixes the target with the uniform distribution without building one-hot rows of [B, N]: the loss is
    (1 - smoothing) times the plain one plus smoothing times the mean of -log softmax over all classes.

    Args:
        labels: int [B].
        logits: [B, N].
        label_smoothing: 0 <= smoothing < 1.

    Returns:
        float32 [B].
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"softmax_cross_entropy: expected 0 <= label_smoothing < 1; received {label_smoothing}.")
    logits = tf.cast(logits, tf.float32)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if label_smoothing == 0:
        return loss
    uniform = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
    return (1 - label_smoothing) * loss + label_smoothing * uniform
