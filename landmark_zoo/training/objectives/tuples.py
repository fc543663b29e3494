"""Objectives on tuples: a query, a picture of the same landmark, and pictures of others that look alike."""

from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.losses.second_order_similarity import second_order_similarity
from landmark_zoo.training.gathered import gathered


class Tuples:
    """A loss of each tuple, with second-order similarity beside it where wanted.

        loss(tuple) + lambda SOS(all tuples of the batch)

    The authors' code sums the tuples of a step, here as everywhere the step takes their mean: their learning rate belongs to
    (tuples of a step) times ours.

    Args:
        model: Gives "embedding"; see `models.build_model`.
        loss: float32 [T, 2 + N, D] to float32 [T].
        negatives: N.
        sos_weight: lambda; 0 leaves the term out.
    """

    def __init__(self, model: tf.keras.Model, loss: Callable[[tf.Tensor], tf.Tensor], negatives: int,
                 sos_weight: float = 0.0):
        self.model, self.loss, self.length, self.sos_weight = model, loss, 2 + negatives, sos_weight

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Takes T tuples in a row, B = T (2 + N) pictures: query, positive, negatives, next query, ...

        Returns:
            (losses, correct), float32 [B]: of each picture what holds for its tuple; correct where the positive is nearer to
            the query than every negative.
        """
        del labels
        embeddings = self.model(images, training=training)["embedding"]
        tuples = tf.reshape(embeddings, [-1, self.length, embeddings.shape[-1]])
        losses = self.loss(tuples)
        if self.sos_weight:
            every = gathered(embeddings) if training else embeddings
            losses += self.sos_weight * second_order_similarity(tf.reshape(every, [-1, self.length, every.shape[-1]]))
        similarities = tf.einsum("td,tnd->tn", tuples[:, 0], tuples[:, 1:])
        correct = tf.cast(similarities[:, 0] > tf.reduce_max(similarities[:, 1:], axis=1), tf.float32)
        return tf.repeat(losses, self.length), tf.repeat(correct, self.length)
