"""Global poolings: base class, generalised mean (GeM), maximum (MAC) and sum (SPoC) over all locations; and the
average over a fixed number of cells, as between the convolutions and the dense layers of torchvision's VGG.

Sources: GeM, Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2018, equation 3;
SPoC, Babenko, Lempitsky: Aggregating Deep Convolutional Features for Image Retrieval, ICCV 2015; MAC, Azizpour et al.: From
Generic to Specific Deep Representations for Visual Recognition, CVPR Workshops 2015, named by Tolias, Sicre, Jegou, ICLR
2016.
"""

import tensorflow as tf

from landmark_zoo.layers.attention.base import channels_of


class Pooling(tf.keras.layers.Layer):
    """A layer from a feature map to one vector, float32 whatever the precision policy.

    The vector is not normalised, unless the pooling says so: the embedding layer behind it does that.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C], unless the pooling says otherwise.

    Example:
        >>> MAC()(tf.constant([[[[1.0, 2.0]], [[3.0, 0.0]]]])).numpy().tolist()
        [[3.0, 2.0]]
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape):
        channels_of(input_shape, type(self).__name__)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], input_shape[-1]])


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


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class MAC(Pooling):
    """The maximum over all locations.

    Args:
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C].
    """

    def call(self, inputs):
        return tf.reduce_max(inputs, axis=(1, 2))


def center_weights(height: tf.Tensor | int, width: tf.Tensor | int) -> tf.Tensor:
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
        centre_prior: Whether locations near the centre weigh more, see `center_weights`. In the paper this helps on
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
            inputs = inputs * center_weights(shape[1], shape[2])[..., tf.newaxis]
        return tf.reduce_sum(inputs, axis=(1, 2))

    def get_config(self):
        return {**super().get_config(), "centre_prior": self.centre_prior}


def cell_weights(length: tf.Tensor | int, cells: int) -> tf.Tensor:
    """Returns what each of `length` places adds to each cell's mean.

    Cell i spans the places floor(i length / cells) to ceil((i + 1) length / cells) - 1. Neighbours overlap where the
    length is no multiple of the cells, and share places where it is shorter.

    Returns:
        float32 [cells, length], rows of sum 1.
    """
    index = tf.range(cells)
    start, end = index * length // cells, -(-(index + 1) * length // cells)
    places = tf.range(length)
    inside = (places >= start[:, tf.newaxis]) & (places < end[:, tf.newaxis])
    return tf.cast(inside, tf.float32) / tf.cast(end - start, tf.float32)[:, tf.newaxis]


def adaptive_average_pooling(features: tf.Tensor, cells: int) -> tf.Tensor:
    """Averages a feature map over a grid of cells.

    Args:
        features: [B, H, W, C] of any H and W from 1 up.
        cells: S; at H = W = S the map comes out as it went in.

    Returns:
        [B, S, S, C] in the dtype of `features`.
    """
    height, width = features.shape[1] or tf.shape(features)[1], features.shape[2] or tf.shape(features)[2]
    rows, columns = (tf.cast(cell_weights(length, cells), features.dtype) for length in (height, width))
    return tf.einsum("sw,bhwc->bhsc", columns, tf.einsum("sh,bhwc->bswc", rows, features))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class AdaptiveAveragePooling(tf.keras.layers.Layer):
    """Makes a map of any size one of S x S, so that dense layers can follow.

    Args:
        cells: S.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        [B, S, S, C].
    """

    def __init__(self, cells: int, **kwargs):
        super().__init__(**kwargs)
        if cells < 1:
            raise ValueError(f"AdaptiveAveragePooling: expected cells >= 1; received {cells}.")
        self.cells = cells

    def call(self, inputs):
        return adaptive_average_pooling(inputs, self.cells)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.cells, self.cells, input_shape[-1]])

    def get_config(self):
        return {**super().get_config(), "cells": self.cells}
