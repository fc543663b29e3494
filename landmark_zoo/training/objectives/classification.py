"""The objective of classification: cross-entropy of a head's training logits."""

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads import Head
from landmark_zoo.layers.heads.sampled import sampled_training_logits
from landmark_zoo.losses.attention_branch_loss import attention_branch_loss
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy


class Classification:
    """Cross-entropy, on the head's training logits where a model is trained, and accuracy without margin.

    Args:
        model: Gives "logits"; see `models.build_model`.
        head: The layer that made them.
        label_smoothing: See `softmax_cross_entropy`.
        branch_weights: alpha and beta of an Attention Branch Network: what its two losses are weighted with.
        class_weights: float [N], what the losses of each class's pictures are multiplied with; None for 1.
        sampled_classes: How many classes a training step compares with; 0 for all. Its accuracy is among them, margin
            included.
    """

    def __init__(self, model: tf.keras.Model, head: Head, label_smoothing: float = 0.0,
                 branch_weights: tuple[float, float] = (1.0, 1.0), class_weights: np.ndarray | None = None,
                 sampled_classes: int = 0):
        self.model, self.head, self.label_smoothing, self.branch_weights = model, head, label_smoothing, branch_weights
        self.class_weights, self.sampled_classes = class_weights, sampled_classes
        self._to_vectors = tf.keras.Model(model.input, head.get_input_at(-1)) if sampled_classes else None

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the largest logit is the label's, both float32 [B]."""
        if training and self.sampled_classes:
            return self._sampled(images, labels)
        outputs = self.model(images, training=training)
        return self.losses(outputs, labels, training), self.correct(outputs, labels)

    def losses(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns the cross-entropies float32 [B] of a model's outputs over all classes."""
        logits = self.head.training_logits(outputs["logits"], labels) if training else outputs["logits"]
        if "attention_logits" in outputs and "reconstruction_error" not in outputs:
            losses = attention_branch_loss(labels, outputs["attention_logits"], logits, *self.branch_weights,
                                           self.label_smoothing)
        else:
            losses = softmax_cross_entropy(labels, logits, self.label_smoothing)
        return self._weighted(losses, labels)

    def correct(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        """Returns float32 [B]: 1 where the largest of a model's logits is the label's."""
        return _hits(outputs["logits"], labels)

    def _sampled(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        vectors = self._to_vectors(images, training=True)
        logits, positions = sampled_training_logits(self.head, vectors, labels, self.sampled_classes, _seed(images))
        losses = softmax_cross_entropy(positions, logits, self.label_smoothing)
        return self._weighted(losses, labels), _hits(logits, positions)

    def _weighted(self, losses: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if self.class_weights is None:
            return losses
        return losses * tf.gather(tf.constant(self.class_weights, tf.float32), labels)


def _hits(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels, tf.float32)


def _seed(images: tf.Tensor) -> tf.Tensor:
    """Returns int32 [2] made of a batch's pixels: another step draws other classes, a resumed one the same."""
    return tf.bitcast(tf.reduce_sum(tf.cast(images, tf.int64)), tf.int32)
