"""Division by the Euclidean norm."""

import tensorflow as tf


def l2_normalise(vectors: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Returns float32 vectors of length 1; a zero vector stays zero."""
    return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis, epsilon=1e-24)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class L2Normalise(tf.keras.layers.Layer):
    """Scales the last axis to length 1, in float32 whatever the precision policy.

    Input shape, output shape:
        [..., D].
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return l2_normalise(inputs)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)
