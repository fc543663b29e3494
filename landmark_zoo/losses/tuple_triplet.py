"""Triplet loss of query tuples, in the form of cirtorch (Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with
No Human Annotation, TPAMI 2018)."""

import tensorflow as tf

from landmark_zoo.losses.tuple_parts import tuple_parts


def tuple_triplet_loss(embeddings: tf.Tensor, margin: float = 0.1) -> tf.Tensor:
    """Returns the sum over negatives of max(|q - p|^2 - |q - n|^2 + margin, 0) of each tuple.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.
        margin: Of squared distances (0.1 in cirtorch, 0.5 with a whitening layer, 1.25 in SOLAR).

    Returns:
        float32 [T].
    """
    if not margin >= 0:
        raise ValueError(f"tuple_triplet_loss: expected margin >= 0; received {margin}.")
    query, positive, negatives = tuple_parts(embeddings, "tuple_triplet_loss")
    to_positive = tf.reduce_sum((query - positive) ** 2, axis=-1)
    to_negatives = tf.reduce_sum((query - negatives) ** 2, axis=-1)
    return tf.reduce_sum(tf.maximum(to_positive - to_negatives + margin, 0), axis=-1)
