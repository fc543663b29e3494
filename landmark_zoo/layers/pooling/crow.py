"""Cross-dimensional weighting and sum (Kalantidis, Mellina, Osindero: Cross-Dimensional Weighting for Aggregated Deep
Convolutional Features, ECCV Workshops 2016)."""

import tensorflow as tf

from landmark_zoo.layers.attention.crow import crow_channel_weights, crow_spatial_weights
from landmark_zoo.layers.pooling.base import Pooling


def crow(features: tf.Tensor) -> tf.Tensor:
    """Returns f_k = beta_k sum_ij alpha_ij x_ijk, with the weights of the attention block of that name.

    Args:
        features: [B, H, W, C], not negative and with true zeros, see `crow_channel_weights`.

    Returns:
        float32 [B, C].
    """
    features = tf.cast(features, tf.float32)
    weighted = tf.reduce_sum(crow_spatial_weights(features) * features, axis=(1, 2))
    return tf.squeeze(crow_channel_weights(features), axis=(1, 2)) * weighted


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CroWPooling(Pooling):
    """The sum of locations weighed by how active they are, its channels weighed by how rarely they are.

    It equals the attention block `CroW` and SPoC behind it, in one step. The unweighted sum that the paper calls uCroW
    is SPoC.

    Args:
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], after a ReLU; H and W may be unknown.

    Output shape:
        float32 [B, C].
    """

    def call(self, inputs):
        return crow(inputs)
