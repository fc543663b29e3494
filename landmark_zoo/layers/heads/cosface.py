"""CosFace: an additive cosine margin (Wang et al.: CosFace: Large Margin Cosine Loss for Deep Face Recognition,
CVPR 2018, equation 4)."""

import tensorflow as tf

from landmark_zoo.layers.heads.arcface import with_target_cosine
from landmark_zoo.layers.heads.base import CosineHead


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CosFace(CosineHead):
    """Cosine head whose target class must win by a cosine of `margin`.

        training logits = s (cos(theta_y) - m) for the target, s cos(theta_j) for the others

    Args:
        num_classes: N.
        margin: m, in cosine (0.35 in the paper).
        scale: s (64 in the paper).
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, margin: float = 0.35, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, scale, **kwargs)
        if not 0 <= margin < 2:
            raise ValueError(f"CosFace: expected 0 <= margin < 2; received {margin}.")
        self.margin = margin

    def training_logits(self, logits, labels, classes=None):
        return self.scale * with_target_cosine(logits / self.scale, labels, lambda cosine: cosine - self.margin)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}
