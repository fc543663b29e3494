"""Listwise average precision (Revaud, Almazan, Rezende, de Souza: Learning with Average Precision: Training Image Retrieval
with a Listwise Loss, ICCV 2019, section 3)."""

import tensorflow as tf

from landmark_zoo.losses.pairs import same_label


def soft_bins(similarities: tf.Tensor, bins: int) -> tf.Tensor:
    """Returns how much each similarity belongs to each bin: a triangle round the bin's centre, together 1.

    Args:
        similarities: Any shape; below -1 counts as -1, above 1 as 1.
        bins: M >= 2; centres from 1 (bin 0) down to -1, 2 / (M - 1) apart.

    Returns:
        float32 [..., M].
    """
    places = (1 - tf.clip_by_value(similarities, -1.0, 1.0)) * (bins - 1) / 2
    return tf.maximum(1 - tf.abs(places[..., tf.newaxis] - tf.range(bins, dtype=tf.float32)), 0)


def listwise_ap_loss(embeddings: tf.Tensor, labels: tf.Tensor, bins: int = 25) -> tf.Tensor:
    """Returns 1 - mAP of a batch in which every image is a query for all others.

        AP = sum over bins m of precision(all images of bins 0..m) x recall(bin m)

    Average precision of binned similarities, which have a gradient where ranks have none. Images of one bin are tied
    and one between two centres is shared out, so that it is mostly a little below that of the ranking. Images without
    another of their landmark are no queries; they are still among what others rank.

    The bins span all cosines, from -1 to 1. In the authors' code they span 0 to 1: finer, but a positive at a right angle
    to its query or beyond, as there are in an untrained embedding of both signs, then has no gradient.

    Args:
        embeddings: [B, D] of length 1. Memory is B B M floats.
        labels: int [B].
        bins: M, 25 in the authors' code.

    Returns:
        float32 scalar in [0, 1]; 0 where no landmark has two images.

    Example:
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
        >>> float(listwise_ap_loss(embeddings, [0, 0, 1, 1]))
        0.0
    """
    if bins < 2:
        raise ValueError(f"listwise_ap_loss: expected bins >= 2; received {bins}.")
    embeddings = tf.cast(embeddings, tf.float32)
    others = 1 - tf.eye(tf.shape(embeddings)[0])
    positive = tf.cast(same_label(labels), tf.float32) * others
    members = soft_bins(tf.matmul(embeddings, embeddings, transpose_b=True), bins)
    found = tf.einsum("ijm,ij->im", members, positive)
    ranked = tf.einsum("ijm,ij->im", members, others)
    precision = tf.math.divide_no_nan(tf.cumsum(found, axis=1), tf.cumsum(ranked, axis=1))
    positives = tf.reduce_sum(positive, axis=1)
    average_precision = tf.math.divide_no_nan(tf.reduce_sum(precision * found, axis=1), positives)
    queries = tf.cast(positives > 0, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(queries * (1 - average_precision)), tf.reduce_sum(queries))
