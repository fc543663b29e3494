"""Triplets mined inside a batch, by tensorflow-addons."""

import functools
import warnings

import tensorflow as tf

from landmark_zoo.losses.pairwise_distances import pairwise_distances
from landmark_zoo.losses.same_label import same_label

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    from tensorflow_addons.losses import triplet_hard_loss, triplet_semihard_loss

MINING = {"semihard": triplet_semihard_loss, "hard": triplet_hard_loss}
FAR = 1e6


def _distances(features: tf.Tensor, squared: bool) -> tf.Tensor:
    """Distances [B, B] of features [B, D + 1]; rows whose last column is 1 are `FAR` from all others."""
    vectors, alone = features[:, :-1], features[:, -1:]
    return pairwise_distances(vectors, squared) + FAR * alone * (1 - tf.eye(tf.shape(features)[0]))


DISTANCES = {squared: functools.partial(_distances, squared=squared) for squared in (False, True)}


def batch_triplet_loss(embeddings: tf.Tensor, labels: tf.Tensor, margin: float, mining: str = "semihard",
                       squared: bool = False) -> tf.Tensor:
    """Returns the mean of max(d(a, p) - d(a, n) + margin, 0) over triplets chosen in the batch.

    * "semihard" (Schroff, Kalenichenko, Philbin: FaceNet, CVPR 2015, section 3.2): for every pair of equal labels, in
      both directions, the nearest negative that is farther than the positive; the farthest negative where none is. The mean
      is over those pairs. Takes B^3 floats.
    * "hard" (Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 5): for
      every picture its farthest positive and its nearest negative. The mean is over all B pictures; one without a positive
      counts 0 (in tensorflow-addons by itself it would push its negatives away).

    Args:
        embeddings: [B, D] of length 1.
        labels: int [B].
        margin: Of plain distances, or of squared ones if `squared`.
        mining: "semihard" or "hard".
        squared: Whether d is the squared distance.

    Returns:
        float32 scalar; 0 where the batch has no triplet: no two pictures of a landmark, or one landmark only.
    """
    if mining not in MINING:
        raise ValueError(f"batch_triplet_loss: expected mining 'semihard' or 'hard'; received {mining!r}.")
    if not margin >= 0:
        raise ValueError(f"batch_triplet_loss: expected margin >= 0; received {margin}.")
    embeddings, same = tf.cast(embeddings, tf.float32), same_label(labels)
    paired = tf.math.count_nonzero(same, axis=1) > 1
    alone = tf.cast(tf.logical_not(paired) & (mining == "hard"), tf.float32)
    features = tf.concat([embeddings, alone[:, tf.newaxis]], axis=1)

    def loss():
        return MINING[mining](labels, features, margin=float(margin), distance_metric=DISTANCES[squared])

    return tf.cond(tf.reduce_any(paired) & ~tf.reduce_all(same), loss, lambda: 0 * tf.reduce_sum(embeddings))
