"""The local branch of DELG (Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020,
section 3.2)."""

import tensorflow as tf

from landmark_zoo.layers.attention.delf import DELG


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class DELGLocalBranch(tf.keras.layers.Layer):
    """Local features, their scores, and what trains both, without a gradient to the backbone.

    See the attention block `DELG` for the equations.

    Args:
        hidden: Filters of the score's first convolution.
        autoencoder_dim: D, channels of the local features.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        (local features z [B, H, W, D], not normalised; scores [B, H, W, 1]; mean over locations of score times
        reconstructed direction, float32 [B, C]; reconstruction error, float32 [B]).
    """

    def __init__(self, hidden: int = 512, autoencoder_dim: int = 128, **kwargs):
        super().__init__(**kwargs)
        self.attention = DELG(hidden, autoencoder_dim, stop_gradient=True, return_maps=True, dtype=self.dtype_policy,
                              name="delg")

    def build(self, input_shape):
        self.attention.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, training=None):
        local_features = self.attention.reduce(tf.stop_gradient(inputs))
        attended, maps = self.attention(inputs, training=training)
        vectors = tf.reduce_mean(tf.cast(attended, tf.float32), axis=(1, 2))
        return local_features, maps["score"], vectors, self.attention.reconstruction_error(inputs)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = tf.TensorShape(input_shape)
        return tuple(map(tf.TensorShape, ([batch, height, width, self.attention.autoencoder_dim],
                                          [batch, height, width, 1], [batch, channels], [batch])))

    def get_config(self):
        return {**super().get_config(), "hidden": self.attention.hidden,
                "autoencoder_dim": self.attention.autoencoder_dim}
