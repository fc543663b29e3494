"""Second-order similarity of query tuples (Ng, Balntas, Tian, Mikolajczyk: SOLAR: Second-Order Loss and Attention for
Image Retrieval, ECCV 2020, section 3)."""

import tensorflow as tf

from landmark_zoo.losses.tuple_parts import tuple_parts


def second_order_similarity(embeddings: tf.Tensor) -> tf.Tensor:
    """Returns sqrt(sum over all tuples and negatives of (|q - n|^2 - |p - n|^2)^2 + 1e-12) / T.

    Query and positive shall see the negatives alike. There is one square root over the whole batch, as in the authors'
    code, so that it is not a mean over tuples: four equal tuples have half the loss of one. The constant keeps the
    gradient finite where query and positive coincide.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.

    Returns:
        float32 scalar; SOLAR adds 10 times this to its triplet loss.
    """
    query, positive, negatives = tuple_parts(embeddings, "second_order_similarity")
    from_query = tf.reduce_sum((query - negatives) ** 2, axis=-1)
    from_positive = tf.reduce_sum((positive - negatives) ** 2, axis=-1)
    tuples = tf.cast(tf.shape(query)[0], tf.float32)
    return tf.sqrt(tf.reduce_sum((from_query - from_positive) ** 2) + 1e-12) / tuples
