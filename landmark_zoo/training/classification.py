"""The objective of classification training: cross-entropy of a head's training logits."""

import tensorflow as tf

from landmark_zoo.layers.heads import Head
from landmark_zoo.losses.attention_branch_loss import attention_branch_loss
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy


class Classification:
    """Cross-entropy, on the head's training logits where a model is trained, and accuracy without margin.

    Args:
        model: Gives "logits"; see `models.build_model`.
        head: The layer that made them.
        label_smoothing: See `softmax_cross_entropy`.
        branch_weights: alpha and beta of an Attention Branch Network: what its two losses are weighted with.
    """

    def __init__(self, model: tf.keras.Model, head: Head, label_smoothing: float = 0.0,
                 branch_weights: tuple[float, float] = (1.0, 1.0)):
        self.model, self.head, self.label_smoothing, self.branch_weights = model, head, label_smoothing, branch_weights

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the largest logit is the label's, both float32 [B]."""
        outputs = self.model(images, training=training)
        logits = outputs["logits"]
        correct = tf.cast(tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), labels), tf.float32)
        if training:
            logits = self.head.training_logits(logits, labels)
        if "attention_logits" in outputs:
            return attention_branch_loss(labels, outputs["attention_logits"], logits, *self.branch_weights,
                                         self.label_smoothing), correct
        return softmax_cross_entropy(labels, logits, self.label_smoothing), correct
