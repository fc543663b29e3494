"""Cropping inside a SavedModel: a box that does not fit stops the call and is named by its position."""

import tensorflow as tf


def crop_or_name(image: tf.Tensor, box: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Cuts a box out of one picture; a wrong one ends in InvalidArgumentError with box and position in the batch.

    Corners are rounded to whole pixels, halves to even ones, as `retrieval.crop` does.

    Args:
        image: [H, W, 3].
        box: float32 [4]: x0, y0, x1, y1 in pixels of the image; x1 and y1 are the first outside.
        position: Scalar int.

    Returns:
        [y1 - y0, x1 - x0, 3].
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    x0, y0, x1, y1 = tf.unstack(tf.cast(tf.round(tf.where(tf.math.is_finite(box), box, -1.0)), tf.int32))
    fits = (tf.reduce_all(tf.math.is_finite(box) & (box >= 0))
            & (x0 < x1) & (x1 <= width) & (y0 < y1) & (y1 <= height))
    good = tf.debugging.Assert(fits, [tf.strings.format(
        "Expected a box x0,y0,x1,y1 with 0 <= x0 < x1 <= {} and 0 <= y0 < y1 <= {}; received {} at position {}.",
        (width, height, box, position), summarize=4)])
    with tf.control_dependencies([good]):
        return image[y0:y1, x0:x1]
