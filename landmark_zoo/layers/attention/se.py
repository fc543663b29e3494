"""Squeeze-and-excitation (Hu, Shen, Sun: Squeeze-and-Excitation Networks, CVPR 2018, section 3, equations 2-4)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SqueezeExcitation(Attention):
    """Weighs each channel by a gate computed from the mean of all channels.

        s = sigmoid(W2 relu(W1 mean_hw(x) + b1) + b2),    y = s x

    As in the authors' network definition both dense layers have biases, which the paper omits, unless told otherwise. The
    gate starts near 0.5: the block does not start as identity, but on a unit-length embedding a constant gate has no effect.

    Args:
        reduction: r, by how much the hidden layer is narrower than the channels (16 in the paper).
        use_bias: Whether there are b1 and b2.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "se" is [B, 1, 1, C].
    """

    def __init__(self, reduction: int = 16, return_maps: bool = False, use_bias: bool = True, **kwargs):
        super().__init__(return_maps, **kwargs)
        if reduction < 1:
            raise ValueError(f"SqueezeExcitation: expected reduction >= 1; received {reduction}.")
        self.reduction, self.use_bias = reduction, use_bias

    def build(self, input_shape):
        channels = channels_of(input_shape, "SqueezeExcitation", self.reduction)
        self.squeeze = tf.keras.layers.Dense(channels // self.reduction, "relu", self.use_bias,
                                             kernel_initializer="he_normal", dtype=self.dtype_policy, name="squeeze")
        self.excite = tf.keras.layers.Dense(channels, "sigmoid", self.use_bias, kernel_initializer="he_normal",
                                            dtype=self.dtype_policy, name="excite")
        self.squeeze.build([None, 1, 1, channels])
        self.excite.build([None, 1, 1, channels // self.reduction])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        mean = tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2), keepdims=True)
        gate = self.excite(self.squeeze(tf.cast(mean, inputs.dtype)))
        return gate * inputs, {"se": gate}

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction, "use_bias": self.use_bias}
