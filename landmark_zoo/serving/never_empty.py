"""Empty batches, which some convolutions refuse."""

from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.data.resize import MIN_SIDE


def never_empty(function: Callable[[tf.Tensor], dict[str, tf.Tensor]], images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns what `function` gives for `images`; in the place of no pictures it gets a black one, whose rows are cut off.

    Args:
        function: From float32 [B, H, W, 3] to tensors [B, ...].
        images: float32 [N, H, W, 3]; N, and then H and W, may be 0.
    """
    count = tf.shape(images)[0]
    missing = tf.cast(count == 0, tf.int32)
    paddings = tf.stack([0, missing, 0, MIN_SIDE * missing, 0, MIN_SIDE * missing, 0, 0])
    padded = tf.ensure_shape(tf.pad(images, tf.reshape(paddings, [4, 2])), [None, None, None, 3])
    return {name: rows[:count] for name, rows in function(padded).items()}
