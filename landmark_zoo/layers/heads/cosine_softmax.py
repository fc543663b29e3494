"""Softmax of scaled cosines (Wang et al.: NormFace: L2 Hypersphere Embedding for Face Verification, ACM MM 2017)."""

import tensorflow as tf

from landmark_zoo.layers.heads.base import CosineHead


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CosineSoftmax(CosineHead):
    """Cosine head without margin: training and inference see the same logits s cos(theta).

    Args:
        num_classes: N.
        scale: s; too small a scale keeps the loss from falling, see `adacos.fixed_scale`.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """
