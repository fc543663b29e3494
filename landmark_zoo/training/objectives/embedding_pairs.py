"""Objectives on the pairs of a batch: pictures of a landmark come together, others keep their distance."""

from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.losses.weighted_sum import weighted_sum
from landmark_zoo.training.gathered import gathered
from landmark_zoo.training.objectives.classification import Classification


class EmbeddingPairs:
    """A loss on all embeddings of a batch, with cross-entropy beside it where wanted.

        w CE + (1 - w) loss(embeddings, labels)

    w = 1/2 gives the sum of experiments E3 and E4 of arXiv:2208.04201, .5 CE + .5 contrastive. While training, the pairs are
    those of the whole batch, over all replicas.

    Args:
        model: Gives "embedding"; see `models.build_model`.
        loss: (float32 [B, D], int [B]) to a scalar.
        classification: The cross-entropy; None for none.
        classification_weight: w.
    """

    def __init__(self, model: tf.keras.Model, loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
                 classification: Classification | None = None, classification_weight: float = 0.0):
        self.model, self.loss = model, loss
        self.classification, self.weight = classification, classification_weight

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the nearest other picture of the batch has the same label, both float32 [B]."""
        outputs = self.model(images, training=training)
        embeddings, every_label = outputs["embedding"], labels
        if training:
            embeddings, every_label = gathered(embeddings), gathered(labels)
        losses = tf.fill(tf.shape(labels), self.loss(embeddings, every_label))
        if self.classification is not None:
            losses = weighted_sum({"classification": (self.weight, self.classification.losses(outputs, labels, training)),
                                   "pairs": (1 - self.weight, losses)})
        alike = nearest_is_alike(embeddings, every_label)
        return losses, alike if every_label is labels else tf.fill(tf.shape(labels), tf.reduce_mean(alike))


def nearest_is_alike(embeddings: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns float32 [B]: 1 where the nearest other embedding has the same label, by dot product; 0 in a batch of one."""
    similarities = tf.linalg.set_diag(embeddings @ tf.transpose(embeddings), tf.fill(tf.shape(labels), -float("inf")))
    nearest = tf.argmax(similarities, axis=1, output_type=tf.int32)
    others = nearest != tf.range(tf.size(labels))
    return tf.cast(others & (tf.gather(labels, nearest) == labels), tf.float32)
