"""Double attention (Chen, Kalantidis, Li, Yan, Feng: A2-Nets: Double Attention Networks, NeurIPS 2018, section 3,
equations 1-6)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import flatten_locations, size


def double_attention(features: tf.Tensor, gather: tf.Tensor, distribute: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Gathers global features from all locations and distributes them to each, in float32; linear in the locations.

        G = A softmax_locations(B)^T,    Z = G softmax_channels(V)

    The transposed form of equations 3-6, with one row per location.

    Args:
        features: A, [B, N, M].
        gather: Logits B, [B, N, K]: the softmax of each of the K columns is over the N locations.
        distribute: Logits V, [B, N, K]: the softmax of each location is over its K channels.

    Returns:
        Z, [B, N, M] in the dtype of `features`, and how much the N locations attend to each location in the mean,
        float32 [B, N]; it sums to 1.
    """
    gather = tf.nn.softmax(tf.cast(gather, tf.float32), axis=1)
    distribute = tf.nn.softmax(tf.cast(distribute, tf.float32), axis=2)
    gathered = tf.matmul(gather, tf.cast(features, tf.float32), transpose_a=True)
    received = tf.matmul(gather, tf.reduce_mean(distribute, axis=1)[..., tf.newaxis])[..., 0]
    return tf.cast(tf.matmul(distribute, gathered), features.dtype), received


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class DoubleAttention(Attention):
    """Adds to each location a mixture of K features that were each gathered from all locations.

        y = x + conv1x1(double_attention(conv1x1(x), conv1x1(x), conv1x1(x)))

    The authors published no code. Here all convolutions have biases, and instead of a batch normalisation whose scale
    starts at zero the last convolution does: the block starts as identity.

    Args:
        reduction: By how much the inner maps are narrower than the channels: M = K = C / reduction (4 in the paper).
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "a2" is [B, H, W, 1]: how much each location is
        attended to, in the mean over all, times the number of locations (1 is the average).
    """

    def __init__(self, reduction: int = 4, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if reduction < 1:
            raise ValueError(f"DoubleAttention: expected reduction >= 1; received {reduction}.")
        self.reduction = reduction

    def build(self, input_shape):
        channels = channels_of(input_shape, "DoubleAttention", self.reduction)
        inner = channels // self.reduction
        self.features, self.gather, self.distribute = (
            tf.keras.layers.Conv2D(inner, 1, kernel_initializer="he_normal", dtype=self.dtype_policy, name=name)
            for name in ("features", "gather", "distribute"))
        self.out = tf.keras.layers.Conv2D(channels, 1, kernel_initializer="zeros", dtype=self.dtype_policy, name="out")
        for layer in (self.features, self.gather, self.distribute):
            layer.build([None, None, None, channels])
        self.out.build([None, None, None, inner])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        mixed, received = double_attention(*(flatten_locations(layer(inputs))
                                             for layer in (self.features, self.gather, self.distribute)))
        batch, height, width = (size(inputs, axis) for axis in range(3))
        mixed = tf.reshape(mixed, [batch, height, width, mixed.shape[-1]])
        received *= tf.cast(height * width, tf.float32)
        return inputs + self.out(mixed), {"a2": tf.reshape(received, [batch, height, width, 1])}

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction}
