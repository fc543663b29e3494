"""Contrastive loss over all pairs of a batch, in two forms."""

import tensorflow as tf

from landmark_zoo.losses.pairwise_distances import pairwise_distances
from landmark_zoo.losses.same_label import same_label


def contrastive_loss(embeddings: tf.Tensor, labels: tf.Tensor, margin: float, form: str = "squared") -> tf.Tensor:
    """Returns the mean over all pairs i < j of a pull on equal labels and a push on unlike ones.

    With D the Euclidean distance, c the dot product and y = 1 for equal labels:

    * "squared", 1/2 [y D^2 + (1 - y) max(margin - D, 0)^2] (Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning
      an Invariant Mapping, CVPR 2006, equation 4): the margin is one of plain distances;
    * "linear", 1/2 [y (1 - c) + (1 - y) max(margin - (1 - c), 0)] (Hu: master's thesis, arXiv 2208.04201, experiments E3
      and E4, margin 0.4): the margin is one of 1 - c, which is D^2 / 2.

    A batch of B pictures has B (B - 1) / 2 pairs, of which few are positive unless it was drawn as several pictures of
    each of a few landmarks.

    Args:
        embeddings: [B, D] of length 1.
        labels: int [B].
        margin: How far unlike pictures are pushed.
        form: "squared" or "linear".

    Returns:
        float32 scalar; 0 for a batch of one.
    """
    if form not in ("squared", "linear"):
        raise ValueError(f"contrastive_loss: expected form 'squared' or 'linear'; received {form!r}.")
    if not margin > 0:
        raise ValueError(f"contrastive_loss: expected margin > 0; received {margin}.")
    embeddings = tf.cast(embeddings, tf.float32)
    if form == "squared":
        pull = pairwise_distances(embeddings, squared=True)
        push = tf.maximum(margin - pairwise_distances(embeddings), 0) ** 2
    else:
        pull = 1 - tf.matmul(embeddings, embeddings, transpose_b=True)
        push = tf.maximum(margin - pull, 0)
    numbers = tf.range(tf.shape(embeddings)[0])
    pairs = tf.cast(numbers[:, tf.newaxis] < numbers, tf.float32)
    terms = tf.where(same_label(labels), pull, push)
    return 0.5 * tf.math.divide_no_nan(tf.reduce_sum(pairs * terms), tf.reduce_sum(pairs))
