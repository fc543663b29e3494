"""Losses on all pairs of a batch: contrastive and triplet, with mining of triplets in the batch."""

import math

import tensorflow as tf


def pairwise_distances(embeddings: tf.Tensor, squared: bool = False) -> tf.Tensor:
    """Returns |x_i - x_j| of all pairs, or its square, in float32.

    The squares come from dot products, whose rounding is about 1e-7 for vectors of length 1. A distance below 0.001 is
    therefore mostly noise: it counts as 0.001 and has no gradient, where the square root's own would be infinite.

    Args:
        embeddings: [B, D].
        squared: Whether to return squares, which reach down to 0.

    Returns:
        float32 [B, B]; the diagonal is that of coinciding rows.

    Example:
        >>> pairwise_distances([[0.0, 0.0], [3.0, 4.0]], squared=True).numpy().tolist()
        [[0.0, 25.0], [25.0, 0.0]]
    """
    embeddings = tf.cast(embeddings, tf.float32)
    lengths = tf.reduce_sum(embeddings**2, axis=-1)
    squares = lengths[:, tf.newaxis] + lengths - 2 * tf.matmul(embeddings, embeddings, transpose_b=True)
    return tf.maximum(squares, 0) if squared else tf.sqrt(tf.maximum(squares, 1e-6))


def same_label(labels: tf.Tensor) -> tf.Tensor:
    """Returns whether labels i and j are equal, bool [B, B], of int labels [B]."""
    labels = tf.convert_to_tensor(labels)
    if not labels.dtype.is_integer or labels.shape.rank != 1:
        raise ValueError(f"same_label: expected int labels [B]; received {labels.dtype.name} {labels.shape}.")
    return tf.equal(labels[:, tf.newaxis], labels)


def contrastive_loss(embeddings: tf.Tensor, labels: tf.Tensor, margin: float, form: str = "squared") -> tf.Tensor:
    """Returns the mean over all pairs i < j of a pull on equal labels and a push on unlike ones.

    With D the Euclidean distance, c the dot product and y = 1 for equal labels:

    * "squared", 1/2 [y D^2 + (1 - y) max(margin - D, 0)^2] (Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning
      an Invariant Mapping, CVPR 2006, equation 4): the margin is one of plain distances;
    * "linear", 1/2 [y (1 - c) + (1 - y) max(margin - (1 - c), 0)] (Hu: master's thesis, arXiv 2208.04201, experiments E3
      and E4, margin 0.4): the margin is one of 1 - c, which is D^2 / 2.

    A batch of B images has B (B - 1) / 2 pairs, of which few are positive unless it was drawn as several images of
    each of a few landmarks.

    Args:
        embeddings: [B, D] of length 1.
        labels: int [B].
        margin: Distance up to which unlike images are pushed.
        form: "squared" or "linear".

    Returns:
        float32 scalar; 0 for a batch of one.

    Example:
        >>> float(contrastive_loss([[1.0, 0.0], [0.0, 1.0]], [0, 1], margin=2.0, form="linear"))
        0.5
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


def _semihard(distances: tf.Tensor, same: tf.Tensor, margin: float) -> tf.Tensor:
    """Mean over the pairs of equal labels, each with its nearest farther negative, or else the farthest one."""
    negatives = tf.sort(tf.where(same, math.inf, distances), axis=1)
    last = tf.math.count_nonzero(~same, axis=1, keepdims=True, dtype=tf.int32) - 1
    nearest_farther = tf.searchsorted(negatives, distances, side="right")
    chosen = tf.gather(negatives, tf.maximum(tf.minimum(nearest_farther, last), 0), batch_dims=1)
    pairs = _positives(same)
    losses = tf.where(pairs, tf.maximum(distances - chosen + margin, 0), 0)
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.reduce_sum(tf.cast(pairs, tf.float32)))


def _hard(distances: tf.Tensor, same: tf.Tensor, margin: float) -> tf.Tensor:
    """Mean over all images of the farthest positive against the nearest negative; 0 of an image without a positive."""
    positive = tf.reduce_max(tf.where(_positives(same), distances, -math.inf), axis=1)
    negative = tf.reduce_min(tf.where(same, math.inf, distances), axis=1)
    return tf.reduce_mean(tf.maximum(positive - negative + margin, 0))


def _positives(same: tf.Tensor) -> tf.Tensor:
    return tf.linalg.set_diag(same, tf.zeros_like(same[0]))


MINING = {"semihard": _semihard, "hard": _hard}


def batch_triplet_loss(embeddings: tf.Tensor, labels: tf.Tensor, margin: float, mining: str = "semihard",
                       squared: bool = False) -> tf.Tensor:
    """Returns the mean of max(d(a, p) - d(a, n) + margin, 0) over triplets chosen in the batch.

    * "semihard" (Schroff, Kalenichenko, Philbin: FaceNet, CVPR 2015, section 3.2): for every pair of equal labels, in
      both directions, the nearest negative that is farther than the positive; the farthest negative where none is. The mean
      is over those pairs.
    * "hard" (Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 5): for
      every image its farthest positive and its nearest negative. The mean is over all B images; one without a positive
      counts 0 (in tensorflow-addons by itself it would push its negatives away).

    Args:
        embeddings: [B, D] of length 1.
        labels: int [B].
        margin: Margin between plain distances, or between squared ones if `squared`.
        mining: "semihard" or "hard".
        squared: Whether d is the squared distance.

    Returns:
        float32 scalar; 0 where the batch has no triplet: no two images of a landmark, or one landmark only.

    Example:
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> float(batch_triplet_loss(embeddings, [0, 0, 1], margin=3.0, squared=True))
        1.0
    """
    if mining not in MINING:
        raise ValueError(f"batch_triplet_loss: expected mining 'semihard' or 'hard'; received {mining!r}.")
    if not margin >= 0:
        raise ValueError(f"batch_triplet_loss: expected margin >= 0; received {margin}.")
    return MINING[mining](pairwise_distances(embeddings, squared), same_label(labels), float(margin))
