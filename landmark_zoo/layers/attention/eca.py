"""Efficient channel attention (Wang et al.: ECA-Net, CVPR 2020, sections 3.2-3.3, equations 9-12)."""

import math
from collections.abc import Sequence

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def eca_kernel_size(channels: int) -> int:
    """Returns the odd kernel size nearest to (log2(channels) + 1) / 2, at least 3 (equation 12 with gamma = 2, b = 1).

    A tie goes up: 5 at 128 channels, 7 at 2048.
    """
    size = int((math.log2(channels) + 1) / 2)
    return max(3, size if size % 2 else size + 1)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class EfficientChannelAttention(Attention):
    """Weighs each channel by a gate computed from the means of its neighbours in channel order.

        s = sigmoid(w * mean_hw(x)),    y = s x

    where * is a convolution along the channels, zero-padded, without bias: k weights in all. The size k follows from
    the channels by `eca_kernel_size`; the authors' checkpoints have sizes set by hand (3 at 256 channels, where the formula
    gives 5), and GLAM has 3 everywhere. The gate starts near 0.5, not at identity.

    Args:
        kernel_size: k, odd, or pairs of channels and of their k; None takes it from the channels, as do those in no pair.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "eca" is [B, 1, 1, C].
    """

    def __init__(self, kernel_size: int | Sequence[tuple[int, int]] | None = None, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        sizes = [size for _, size in kernel_size] if isinstance(kernel_size, list | tuple) else (
            [] if kernel_size is None else [kernel_size])
        if any(size < 1 or size % 2 == 0 for size in sizes):
            raise ValueError(f"EfficientChannelAttention: expected an odd kernel_size >= 1; received {kernel_size}.")
        self.kernel_size = kernel_size

    def build(self, input_shape):
        channels = channels_of(input_shape, "EfficientChannelAttention")
        size = self.kernel_size or eca_kernel_size(channels)
        if isinstance(size, list | tuple):
            size = dict(size).get(channels) or eca_kernel_size(channels)
        self.neighbours = tf.keras.layers.Conv1D(1, size, padding="same", use_bias=False, dtype=self.dtype_policy,
                                                 name="neighbours")
        self.neighbours.build([None, channels, 1])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        means = tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2))
        logits = self.neighbours(means[:, :, tf.newaxis])
        gate = tf.sigmoid(logits)[:, tf.newaxis, tf.newaxis, :, 0]
        return gate * inputs, {"eca": gate}

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
