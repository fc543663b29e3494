"""Maximum activations of convolutions (Azizpour et al.: From Generic to Specific Deep Representations for Visual
Recognition, CVPR Workshops 2015; named by Tolias, Sicre, Jegou, ICLR 2016)."""

import tensorflow as tf

from landmark_zoo.layers.pooling.base import Pooling


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class MAC(Pooling):
    """The maximum over all locations.

    Args:
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C].
    """

    def call(self, inputs):
        return tf.reduce_max(inputs, axis=(1, 2))
