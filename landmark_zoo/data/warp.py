"""Cutting, stretching and turning a picture in one step."""

import tensorflow as tf


def warp(image: tf.Tensor, size: tuple[int | tf.Tensor, int | tf.Tensor], begin: tf.Tensor, step: tf.Tensor,
         angle: float | tf.Tensor) -> tf.Tensor:
    """Turns a picture about its centre and samples a window of the result, bilinearly; outside the picture is black.

    Args:
        image: float32 [H, W, C].
        size: Height and width of the result, in pixels.
        begin: float32 [2], top and left edge of the window, in pixels of the picture; may lie outside.
        step: float32 [2], pixels of the picture per pixel of the result, down and across.
        angle: Of the turn, counterclockwise, in radians.

    Returns:
        float32 [height, width, C].
    """
    cosine, sine = tf.cos(tf.cast(angle, tf.float32)), tf.sin(tf.cast(angle, tf.float32))
    centre = tf.cast(tf.shape(image)[:2], tf.float32) / 2
    down, across = tf.unstack(begin + step / 2 - centre)  # from the centre to the middle of the result's first pixel
    matrix = tf.stack([
        cosine * step[1], -sine * step[0], cosine * across - sine * down + centre[1] - 0.5,
        sine * step[1], cosine * step[0], sine * across + cosine * down + centre[0] - 0.5,
        0.0, 0.0])
    result = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None], transforms=matrix[None], output_shape=tf.stack(size), fill_value=0.0,
        interpolation="BILINEAR", fill_mode="CONSTANT")[0]
    static = [side if isinstance(side, int) else None for side in size]
    return tf.ensure_shape(result, [*static, image.shape[-1]])
