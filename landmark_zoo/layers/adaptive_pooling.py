"""Average pooling to a fixed number of cells, as between the convolutions and the dense layers of torchvision's VGG."""

import tensorflow as tf


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
