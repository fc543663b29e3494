"""Contextual reweighting (Kim, Dunn, Frahm: Learned Contextual Feature Reweighting for Image Geo-Localization,
CVPR 2017; layer settings from the authors' network definition)."""

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of

CONTEXTS = ((3, 32), (5, 32), (7, 20))  # kernel size, filters
BILINEAR = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])[..., None, None]


def halve(features: tf.Tensor) -> tf.Tensor:
    """Averages 3x3 windows, stride 2, each over the locations that it has inside the map.

    With even sides these are the windows of the authors' framework, which rounds (H - 3) / 2 up (14 -> 7). An odd side
    is first made even by repeating its last row: theirs gives 15 -> 7, which doubles to 14, one short of the map.

    Args:
        features: [B, H, W, C].

    Returns:
        [B, ceil(H / 2), ceil(W / 2), C].
    """
    shape = tf.shape(features)
    even = tf.pad(features, [[0, 0], [0, shape[1] % 2], [0, shape[2] % 2], [0, 0]], "SYMMETRIC")
    return tf.nn.avg_pool2d(even, 3, 2, "SAME")


def double(mask: tf.Tensor) -> tf.Tensor:
    """Enlarges by a bilinear 4x4 deconvolution of stride 2, which darkens the border (0.75, in the corners 0.5625).

    Args:
        mask: [B, H, W, 1].

    Returns:
        [B, 2 H, 2 W, 1].
    """
    shape = tf.shape(mask)
    return tf.nn.conv2d_transpose(mask, tf.constant(BILINEAR, mask.dtype), [shape[0], 2 * shape[1], 2 * shape[2], 1], 2)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class ContextualReweighting(Attention):
    """Weighs each location by a mask computed from its surroundings on a map of half the size.

        m = double(relu(sum of 32 3x3, 32 5x5 and 20 7x7 filters of halve(x), each after a ReLU, + b)),    y = m x

    The sum is a 1x1 convolution whose 84 weights stay 1; b is learnt. In the paper m multiplies the soft assignments of
    NetVLAD, which can call `mask`; here it multiplies the features. The mask is >= 0, unbounded and not identity at the
    start. The authors feed VGG's conv5_3 before its ReLU; this layer takes the map as it comes. Odd sides: see `halve`;
    the mask is cut to the size of the map.

    Args:
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "crn" is [B, H, W, 1].
    """

    def build(self, input_shape):
        channels = channels_of(input_shape, "ContextualReweighting")
        self.contexts = [
            tf.keras.layers.Conv2D(filters, size, padding="same", activation="relu", kernel_initializer="lecun_uniform",
                                   dtype=self.dtype_policy, name=f"context_{size}x{size}")
            for size, filters in CONTEXTS]
        for context in self.contexts:
            context.build([None, None, None, channels])
        filters = sum(filters for _, filters in CONTEXTS)
        self.accumulate = self.add_weight("accumulate", [1, 1, filters, 1], initializer="ones", trainable=False)
        self.bias = self.add_weight("bias", [1], initializer="zeros")
        super().build(input_shape)

    def mask(self, features: tf.Tensor) -> tf.Tensor:
        """Returns the mask [B, H, W, 1] of features [B, H, W, C]."""
        half = halve(features)
        responses = tf.concat([context(half) for context in self.contexts], axis=-1)
        total = tf.nn.conv2d(responses, tf.cast(self.accumulate, responses.dtype), 1, "VALID")
        mask = tf.nn.relu(total + tf.cast(self.bias, total.dtype))
        shape = tf.shape(features)
        return double(mask)[:, :shape[1], :shape[2]]

    def attend(self, inputs, training=None):
        mask = self.mask(inputs)
        return mask * inputs, {"crn": mask}
