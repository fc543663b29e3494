"""Sum pooling (Babenko, Lempitsky: Aggregating Deep Convolutional Features for Image Retrieval, ICCV 2015)."""

import tensorflow as tf

from landmark_zoo.layers.pooling.base import Pooling


def centre_weights(height: tf.Tensor | int, width: tf.Tensor | int) -> tf.Tensor:
    """Returns exp(-d^2 / (2 sigma^2)), d the distance from the centre and sigma = min(H, W) / 6 (equation 4).

    The paper counts locations from 1 and puts the centre at H/2, half a location too far to the top left; here it is
    at (H + 1) / 2 and the weights are symmetric.

    Args:
        height: H.
        width: W.

    Returns:
        float32 [H, W].
    """
    def squares(length):
        places = tf.range(length, dtype=tf.int32)
        return (tf.cast(places, tf.float32) - (tf.cast(length, tf.float32) - 1) / 2) ** 2

    sigma = tf.cast(tf.minimum(height, width), tf.float32) / 6
    return tf.exp(-(squares(height)[:, tf.newaxis] + squares(width)) / (2 * sigma**2))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SPoC(Pooling):
    """The sum over all locations; many implementations take the mean, the same once normalised.

    Args:
        centre_prior: Whether locations near the centre weigh more, see `centre_weights`. In the paper this helps on
            Oxford, where landmarks are in the middle (0.589 to 0.657), and harms on Holidays (0.802 to 0.784).
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C].
    """

    def __init__(self, centre_prior: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.centre_prior = centre_prior

    def call(self, inputs):
        if self.centre_prior:
            shape = tf.shape(inputs)
            inputs = inputs * centre_weights(shape[1], shape[2])[..., tf.newaxis]
        return tf.reduce_sum(inputs, axis=(1, 2))

    def get_config(self):
        return {**super().get_config(), "centre_prior": self.centre_prior}
