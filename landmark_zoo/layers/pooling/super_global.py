"""Refinements of SuperGlobal (Shao, Chen, Karpur, Cui, Araujo, Cao: Global Features are All You Need for Image Retrieval and
Reranking, ICCV 2023, section 3.1; numbers from the authors' code): regional GeM, and a floor under activations.

They change a trained network at test time and learn nothing. The maximum over scales is a rule of test protocols.
"""

import tensorflow as tf

from landmark_zoo.layers.attention.san import reflect
from landmark_zoo.layers.pooling.global_pooling import GeM


def regional_gem(features: tf.Tensor, p: float = 2.5, size: int = 5) -> tf.Tensor:
    """Returns the mean of a map and its generalised means over size x size neighbours, reflected at the border.

        y = x / 2 + (mean of the neighbours' x^p)^(1/p) / 2

    Args:
        features: [B, H, W, C]; negative values count as zero.
        p: Power.
        size: Side of the neighbourhood, odd.

    Returns:
        float32 [B, H, W, C].
    """
    features = tf.maximum(tf.cast(features, tf.float32), 1e-8)
    means = tf.nn.avg_pool2d(reflect(features ** p, size // 2), size, 1, "VALID")
    return (features + means ** (1 / p)) / 2


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class RegionalGeM(GeM):
    """The generalised mean over all locations of a map that regional generalised means have refined.

    Args:
        p: The global power, 4.6 in the authors' code.
        regional_p: The power among neighbours.
        size: Side of the neighbourhood, odd.
        trainable_p: See `GeM`.
        per_channel: See `GeM`.
        eps: See `GeM`.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], non-negative; H and W may be unknown.

    Output shape:
        float32 [B, C], whatever the precision policy.
    """

    def __init__(self, p: float = 4.6, regional_p: float = 2.5, size: int = 5, trainable_p: bool = False,
                 per_channel: bool = False, eps: float = 1e-8, **kwargs):
        super().__init__(p, trainable_p, per_channel, eps, **kwargs)
        if not regional_p > 0 or size < 1 or size % 2 == 0:
            raise ValueError(f"RegionalGeM: expected regional_p > 0 and an odd size; received {regional_p} and {size}.")
        self.regional_p, self.size = regional_p, size

    def call(self, inputs):
        return super().call(regional_gem(inputs, self.regional_p, self.size))

    def get_config(self):
        return {**super().get_config(), "regional_p": self.regional_p, "size": self.size}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class Floor(tf.keras.layers.Layer):
    """Raises smaller values to a floor above zero, behind a ReLU; smaller ones have no gradient.

    Args:
        floor: The smallest value, 0.014 in the authors' code.
        **kwargs: Keras' own.

    Input shape, output shape:
        Any.
    """

    def __init__(self, floor: float = 0.014, **kwargs):
        super().__init__(**kwargs)
        self.floor = floor

    def call(self, inputs):
        return tf.maximum(inputs, tf.cast(self.floor, inputs.dtype))

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)

    def get_config(self):
        return {**super().get_config(), "floor": self.floor}
