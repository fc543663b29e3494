"""Query tuples taken apart."""

import tensorflow as tf


def tuple_parts(embeddings: tf.Tensor, loss: str) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns queries [T, 1, D], positives [T, 1, D] and negatives [T, N, D], in float32.

    Args:
        embeddings: [T, 2 + N, D]: query, positive, N >= 1 negatives.
        loss: Who asks, for the error.
    """
    shape = embeddings.shape
    if len(shape) != 3 or (shape[1] is not None and shape[1] < 3):
        raise ValueError(f"{loss}: expected embeddings [T, 2 + N, D] with N >= 1; received {list(shape)}.")
    embeddings = tf.cast(embeddings, tf.float32)
    return embeddings[:, :1], embeddings[:, 1:2], embeddings[:, 2:]
