"""The three losses of DELG (Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020,
section 3.3)."""

import tensorflow as tf

from landmark_zoo.losses.delg_loss import delg_loss
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.training.objectives.classification import Classification


class Delg:
    """Cross-entropy of the global embedding, cross-entropy of the attended local features, and their reconstruction error.

    The model itself keeps the last two away from the backbone.

    Args:
        model: A `<backbone>_delg`; see `models.delg`.
        classification: Of the global embedding.
        attention_weight: Of the local features' cross-entropy; 1 in the authors' code.
        reconstruction_weight: Of the squared error; 10 there.
    """

    def __init__(self, model: tf.keras.Model, classification: Classification, attention_weight: float = 1.0,
                 reconstruction_weight: float = 10.0):
        self.model, self.classification = model, classification
        self.attention_weight, self.reconstruction_weight = attention_weight, reconstruction_weight

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss and whether the largest global logit is the label's, both float32 [B]."""
        outputs = self.model(images, training=training)
        attention_losses = softmax_cross_entropy(labels, outputs["attention_logits"])
        losses = delg_loss(self.classification.losses(outputs, labels, training), attention_losses,
                           outputs["reconstruction_error"], self.attention_weight, self.reconstruction_weight)
        return losses, self.classification.correct(outputs, labels)
