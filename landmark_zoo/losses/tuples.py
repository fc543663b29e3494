"""Losses of mined tuples: a query, a positive and several negatives.

Sources: contrastive and triplet, Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI
2018; second-order similarity, Ng et al.: SOLAR: Second-Order Loss and Attention for Image Retrieval, ECCV 2020, section 3.
"""

import tensorflow as tf


def tuple_parts(embeddings: tf.Tensor, loss: str) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns queries [T, 1, D], positives [T, 1, D] and negatives [T, N, D], in float32.

    Args:
        embeddings: [T, 2 + N, D]: query, positive, N >= 1 negatives.
        loss: Name of the loss, for the error.
    """
    embeddings = tf.cast(embeddings, tf.float32)
    shape = embeddings.shape
    if len(shape) != 3 or (shape[1] is not None and shape[1] < 3):
        raise ValueError(f"{loss}: expected embeddings [T, 2 + N, D] with N >= 1; received {list(shape)}.")
    return embeddings[:, :1], embeddings[:, 1:2], embeddings[:, 2:]


def tuple_contrastive_loss(embeddings: tf.Tensor, margin: float = 0.7) -> tf.Tensor:
    """Returns 1/2 |q - p|^2 + sum over negatives of 1/2 max(margin - |q - n|, 0)^2 of each tuple.

    It is a sum over the tuple, so five negatives count five times; the authors' code also sums over tuples, whereas the
    mean of what is returned here is taken: multiply their learning rate with the number of tuples of a batch under SGD.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.
        margin: Margin of plain distances (0.7 in the paper, 0.85 for ResNet-101 with GeM).

    Returns:
        float32 [T].

    Example:
        >>> query, positive, negative = [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]
        >>> f"{float(tuple_contrastive_loss([[query, positive, negative]], margin=2.0)[0]):.4f}"
        '0.1716'
    """
    if not margin > 0:
        raise ValueError(f"tuple_contrastive_loss: expected margin > 0; received {margin}.")
    query, positive, negatives = tuple_parts(embeddings, "tuple_contrastive_loss")
    pull = tf.reduce_sum((query - positive) ** 2, axis=[1, 2])
    distances = tf.sqrt(tf.maximum(tf.reduce_sum((query - negatives) ** 2, axis=-1), 1e-12))
    return 0.5 * (pull + tf.reduce_sum(tf.maximum(margin - distances, 0) ** 2, axis=-1))


def tuple_triplet_loss(embeddings: tf.Tensor, margin: float = 0.1) -> tf.Tensor:
    """Returns the sum over negatives of max(|q - p|^2 - |q - n|^2 + margin, 0) of each tuple.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.
        margin: Margin of squared distances (0.1 in cirtorch, 0.5 with a whitening layer, 1.25 in SOLAR).

    Returns:
        float32 [T].

    Example:
        >>> query, positive, negative = [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]
        >>> tuple_triplet_loss([[query, positive, negative]], margin=3.0).numpy().tolist()
        [1.0]
    """
    if not margin >= 0:
        raise ValueError(f"tuple_triplet_loss: expected margin >= 0; received {margin}.")
    query, positive, negatives = tuple_parts(embeddings, "tuple_triplet_loss")
    to_positive = tf.reduce_sum((query - positive) ** 2, axis=-1)
    to_negatives = tf.reduce_sum((query - negatives) ** 2, axis=-1)
    return tf.reduce_sum(tf.maximum(to_positive - to_negatives + margin, 0), axis=-1)


def second_order_similarity(embeddings: tf.Tensor) -> tf.Tensor:
    """Returns sqrt(sum over all tuples and negatives of (|q - n|^2 - |p - n|^2)^2 + 1e-12) / T.

    Query and positive shall see the negatives alike. There is one square root over the whole batch, as in the authors'
    code, so that it is not a mean over tuples: four equal tuples have half the loss of one. The constant keeps the
    gradient finite where query and positive coincide.

    Args:
        embeddings: [T, 2 + N, D] of length 1: query, positive, N negatives.

    Returns:
        float32 scalar; SOLAR adds 10 times this to its triplet loss.

    Example:
        >>> query, positive, negative = [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]
        >>> f"{float(second_order_similarity([[query, positive, negative]])):.4f}"
        '2.0000'
    """
    query, positive, negatives = tuple_parts(embeddings, "second_order_similarity")
    from_query = tf.reduce_sum((query - negatives) ** 2, axis=-1)
    from_positive = tf.reduce_sum((positive - negatives) ** 2, axis=-1)
    tuples = tf.cast(tf.shape(query)[0], tf.float32)
    return tf.sqrt(tf.reduce_sum((from_query - from_positive) ** 2) + 1e-12) / tuples
