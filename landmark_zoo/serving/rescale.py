"""Pictures that were brought to one size, at another."""

import tensorflow as tf

from landmark_zoo.data.resize import MIN_SIDE, resize


def rescale(images: tf.Tensor, factor: float) -> tf.Tensor:
    """Resizes both sides by one factor, rounded half up and at least 32 pixels; 1 changes nothing.

    Args:
        images: [B, H, W, C].
        factor: Above 0.

    Returns:
        float32 [B, h, w, C].
    """
    if factor == 1:
        return images
    sides = images.shape[1:3]
    if sides.is_fully_defined():
        return resize(images, *(max(MIN_SIDE, int(side * factor + 0.5)) for side in sides))
    size = tf.floor(tf.cast(tf.shape(images)[1:3], tf.float32) * factor + 0.5)
    height, width = tf.unstack(tf.maximum(MIN_SIDE, tf.cast(size, tf.int32)))
    return resize(images, height, width)
