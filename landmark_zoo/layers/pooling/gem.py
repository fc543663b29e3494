"""Generalised-mean pooling (Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation,
TPAMI 2018, equation 3)."""

import tensorflow as tf

from landmark_zoo.layers.pooling.base import Pooling


def gem(features: tf.Tensor, p: tf.Tensor | float, eps: float = 1e-6) -> tf.Tensor:
    """Returns (mean over locations of max(x, eps)^p)^(1/p), computed in float32.

    The largest value of each channel is taken out before the power and multiplied back after it, so that neither large
    activations nor a large p overflow.

    Args:
        features: [B, H, W, C].
        p: Scalar or [C]; 1 is the mean, infinity the maximum.
        eps: What smaller values are raised to.

    Returns:
        float32 [B, C].
    """
    features = tf.maximum(tf.cast(features, tf.float32), eps)
    p = tf.cast(p, tf.float32)
    largest = tf.stop_gradient(tf.reduce_max(features, axis=(1, 2), keepdims=True))
    mean = tf.reduce_mean((features / largest) ** p, axis=(1, 2))
    return tf.squeeze(largest, axis=(1, 2)) * mean ** (1 / p)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GeM(Pooling):
    """Generalised mean over all locations.

    Args:
        p: The power, or where training starts from.
        trainable_p: Whether p is learnt. With ArcFace a learnt p drifts towards 1 (DELG's authors).
        per_channel: One p for each channel ("GeMmp") instead of one for all.
        eps: What smaller activations are raised to.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C], whatever the precision policy.
    """

    def __init__(self, p: float = 3.0, trainable_p: bool = False, per_channel: bool = False, eps: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        if not p > 0:
            raise ValueError(f"GeM: expected p > 0; received {p}.")
        self.p, self.trainable_p, self.per_channel, self.eps = p, trainable_p, per_channel, eps

    def build(self, input_shape):
        shape = [int(input_shape[-1])] if self.per_channel else []
        self.power = self.add_weight("p", shape, tf.float32, tf.keras.initializers.Constant(self.p),
                                     trainable=self.trainable_p, constraint=_AtLeast(0.1))
        super().build(input_shape)

    def call(self, inputs):
        return gem(inputs, self.power, self.eps)

    def get_config(self):
        return {**super().get_config(), "p": self.p, "trainable_p": self.trainable_p, "per_channel": self.per_channel,
                "eps": self.eps}


class _AtLeast(tf.keras.constraints.Constraint):
    """Keeps a learnt power away from zero."""

    def __init__(self, minimum: float):
        self.minimum = minimum

    def __call__(self, weight):
        return tf.maximum(weight, self.minimum)
