"""Softmax cross-entropy on int labels."""

import tensorflow as tf


def softmax_cross_entropy(labels: tf.Tensor, logits: tf.Tensor, label_smoothing: float = 0.0,
                          class_weights: tf.Tensor | None = None) -> tf.Tensor:
    """Returns -log softmax(logits)[label] of each row, in float32.

    Smoothing mixes the target with the uniform distribution without building one-hot rows of [B, N]: the loss is
    (1 - smoothing) times the plain one plus smoothing times the mean of -log softmax over all classes.

    Class weights multiply each row by that of its label and nothing is divided by their sum in the batch, so that the mean
    over a batch does not depend on how it is split over replicas.

    Args:
        labels: int [B].
        logits: [B, N].
        label_smoothing: 0 <= smoothing < 1.
        class_weights: float32 [N], see `class_weights`; None weighs all rows alike.

    Returns:
        float32 [B].
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"softmax_cross_entropy: expected 0 <= label_smoothing < 1; received {label_smoothing}.")
    logits = tf.cast(logits, tf.float32)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if label_smoothing > 0:
        uniform = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        loss = (1 - label_smoothing) * loss + label_smoothing * uniform
    return loss if class_weights is None else loss * tf.gather(tf.cast(class_weights, tf.float32), labels)
