"""Resizing before a crop of fixed size."""

import tensorflow as tf

from landmark_zoo.data.resize import resize


def resize_to_cover(image: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes to the smallest size that covers height x width, keeping the aspect ratio; shrinks and enlarges.

    With height = width, the short side becomes that long.

    Args:
        image: [H, W, C], any numeric type.
        height: Least height of the result, in pixels.
        width: Least width of the result, in pixels.

    Returns:
        float32 [h, w, C] with h >= height and w >= width, one of them equal.
    """
    target = tf.stack([height, width])
    shape = tf.cast(tf.shape(image)[:2], tf.float64)
    factor = tf.reduce_max(tf.cast(target, tf.float64) / shape)
    size = tf.maximum(target, tf.cast(tf.floor(shape * factor + 0.5), target.dtype))
    return resize(image, size[0], size[1])
