"""Contrastive loss of query tuples (Radenovic, Tolias, Chum: CNN Image Retrieval Learns from BoW, ECCV 2016)."""

import tensorflow as tf

from landmark_zoo.losses.tuple_parts import tuple_parts


def tuple_contrastive_loss(embeddings: tf.Tensor, margin: float = 0.7) -> tf.Tensor:
    """Returns 1/2 |q - p|^2 + sum over negatives of 1/2 max(margin - |q - n|, 0)^2 of each tuple.

    It is a sum over the tuple, so five negatives count five times; the authors' code also sums over tuples, whereas the
    mean of what is returned here is taken: multiply their learning rate with the number of tuples of a batch under SGD.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.
        margin: Of plain distances (0.7 in the paper, 0.85 for ResNet-101 with GeM).

    Returns:
        float32 [T].
    """
    if not margin > 0:
        raise ValueError(f"tuple_contrastive_loss: expected margin > 0; received {margin}.")
    query, positive, negatives = tuple_parts(embeddings, "tuple_contrastive_loss")
    pull = tf.reduce_sum((query - positive) ** 2, axis=[1, 2])
    distances = tf.sqrt(tf.maximum(tf.reduce_sum((query - negatives) ** 2, axis=-1), 1e-12))
    return 0.5 * (pull + tf.reduce_sum(tf.maximum(margin - distances, 0) ** 2, axis=-1))
