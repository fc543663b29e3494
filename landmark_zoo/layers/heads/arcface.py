"""ArcFace: an additive angular margin (Deng, Guo, Xue, Zafeiriou: ArcFace, CVPR 2019, equation 3)."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads.base import CosineHead


def arcface_cosine(cosine: tf.Tensor, margin: float | tf.Tensor) -> tf.Tensor:
    """Returns cos(theta + margin), continued by cos(theta) - margin sin(pi - margin) where theta > pi - margin.

    Past pi - margin the plain formula would rise again; of the three continuations in public code this is the one that stays
    monotone. The square root is kept from zero so that its gradient is finite at |cos| = 1.

    Args:
        cosine: float32, any shape, cos(theta).
        margin: Radians, 0 <= margin < pi; one for all or one for each cosine.
    """
    margin = tf.cast(margin, tf.float32)
    sine = tf.sqrt(tf.maximum(1 - cosine**2, 1e-6))
    turned = cosine * tf.cos(margin) - sine * tf.sin(margin)
    return tf.where(cosine > tf.cos(math.pi - margin), turned, cosine - margin * tf.sin(math.pi - margin))


def with_target_cosine(cosines: tf.Tensor, labels: tf.Tensor, margin_function) -> tf.Tensor:
    """Applies `margin_function` to the target's cosine of each row and leaves all others alone.

    Args:
        cosines: float32 [B, N].
        labels: int [B].
        margin_function: [B] -> [B].

    Returns:
        float32 [B, N].
    """
    labels = tf.cast(labels, tf.int32)
    places = tf.stack([tf.range(tf.shape(labels)[0]), labels], axis=1)
    return tf.tensor_scatter_nd_update(cosines, places, margin_function(tf.gather_nd(cosines, places)))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class ArcFace(CosineHead):
    """Cosine head whose target class must win by an angle of `margin`.

        training logits = s cos(theta_y + m) for the target, s cos(theta_j) for the others

    Args:
        num_classes: N.
        margin: m, radians (0.3 in GLAM, 0.1 in DELG); or one for each class, see `adaptive_margins`.
        scale: s (30 in Yokoo et al.).
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, margin: float | Sequence[float] = 0.3, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, scale, **kwargs)
        self.margin = np.asarray(margin, float)
        if self.margin.shape not in ((), (num_classes,)) or not np.all((self.margin >= 0) & (self.margin < math.pi)):
            raise ValueError(f"ArcFace: expected 0 <= margin < pi, one or {num_classes} of them; received {margin}.")

    def training_logits(self, logits, labels, classes=None):
        margin = self.margin
        if margin.ndim:
            margin = tf.gather(margin, labels if classes is None else tf.gather(classes, labels))
        return self.scale * with_target_cosine(logits / self.scale, labels, lambda cosine: arcface_cosine(cosine, margin))

    def get_config(self):
        return {**super().get_config(), "margin": self.margin.tolist()}
