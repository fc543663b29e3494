"""What every objective is."""

from typing import Protocol

import tensorflow as tf


class Objective(Protocol):
    """What a training step minimises; a plain callable that holds the model."""

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs the model on a batch.

        Args:
            images: float32 [B, H, W, 3], values 0..255.
            labels: int32 [B].
            training: Whether the model is trained, or measured without dropout and margins.

        Returns:
            (losses, correct), both float32 [B]; the step minimises the mean of the first and reports that of the second. A
            loss that does not split by picture stands in every place.
        """
