"""Pooled vector to embedding: a dense layer between two L2 normalisations."""

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class EmbeddingLayer(tf.keras.layers.Layer):
    """e = v / |v| with v = W x / |x| + b: the whitening layer of end-to-end retrieval networks.

    The input is normalised first, as before every PCA whitening of the field, so that `set_projection` puts such a
    whitening here without a change of meaning. Computed in float32 whatever the precision policy.

    Args:
        dimension: D, the length of the embedding.
        **kwargs: Keras' own.

    Input shape:
        [B, C].

    Output shape:
        float32 [B, D], each row of length 1.
    """

    def __init__(self, dimension: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if dimension < 1:
            raise ValueError(f"EmbeddingLayer: expected dimension >= 1; received {dimension}.")
        self.dimension = dimension

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", [int(input_shape[-1]), self.dimension], initializer="glorot_uniform")
        self.bias = self.add_weight("bias", [self.dimension], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        return l2_normalise(l2_normalise(inputs) @ self.kernel + self.bias)

    def set_projection(self, mean: np.ndarray, components: np.ndarray) -> None:
        """Starts the layer as v = (x - mean) components.

        Args:
            mean: [C].
            components: [C, D].
        """
        self.kernel.assign(components)
        self.bias.assign(-mean @ components)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.dimension])

    def get_config(self):
        return {**super().get_config(), "dimension": self.dimension}
