"""Cross-dimensional weighting (Kalantidis, Mellina, Osindero: Cross-Dimensional Weighting for Aggregated Deep
Convolutional Features, ECCV Workshops 2016)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def crow_spatial_weights(features: tf.Tensor) -> tf.Tensor:
    """Returns sqrt(S / |S|), where S is the sum over channels and |S| its Euclidean norm over locations (a = b = 2).

    A negative sum counts as zero. A location that sums to zero gets weight zero and no gradient.

    Args:
        features: [B, H, W, C].

    Returns:
        float32 [B, H, W, 1].
    """
    total = tf.maximum(tf.reduce_sum(tf.cast(features, tf.float32), axis=-1, keepdims=True), 0.0)
    energy = total**2
    share = tf.math.divide_no_nan(energy, tf.reduce_sum(energy, axis=(1, 2), keepdims=True))
    some = share > 0
    return tf.where(some, tf.where(some, share, 1.0) ** 0.25, 0.0)


def crow_channel_weights(features: tf.Tensor) -> tf.Tensor:
    """Returns log(sum_j Q_j / Q_k), where Q_k is the share of locations at which channel k is not zero; 0 where Q_k is.

    Rarely active channels weigh more, as rare words do in text retrieval. This needs true zeros, i.e. features after a
    ReLU: after a swish (EfficientNet) nothing is zero and every channel weighs log C. The weights have no gradient.

    Args:
        features: [B, H, W, C].

    Returns:
        float32 [B, 1, 1, C].
    """
    active = tf.reduce_mean(tf.cast(features != 0, tf.float32), axis=(1, 2), keepdims=True)
    rarity = tf.math.divide_no_nan(tf.reduce_sum(active, axis=-1, keepdims=True), active)
    return tf.where(active > 0, tf.math.log(rarity), 0.0)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CroW(Attention):
    """Weighs locations by how active they are and channels by how rarely they are; nothing is learnt.

        y_ijk = alpha_ij beta_k x_ijk

    Sum pooling of y is the CroW vector of the paper. Both weights are of the image itself, so that they do not depend
    on its batch.

    Args:
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C], not negative and with true zeros, see `crow_channel_weights`; H and W may be unknown. The maps are
        "crow_spatial" [B, H, W, 1] and "crow_channel" [B, 1, 1, C].
    """

    def build(self, input_shape):
        channels_of(input_shape, "CroW")
        super().build(input_shape)

    def attend(self, inputs, training=None):
        spatial = tf.cast(crow_spatial_weights(inputs), inputs.dtype)
        channel = tf.cast(crow_channel_weights(inputs), inputs.dtype)
        return spatial * (channel * inputs), {"crow_spatial": spatial, "crow_channel": channel}
