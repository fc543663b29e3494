"""The one resize of this project: bilinear, antialiased, the same in training, evaluation and serving."""

import tensorflow as tf

MIN_SIDE = 32


def resize(image: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes to height x width pixels, whatever that does to the aspect ratio.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        height: Of the result.
        width: Of the result.

    Returns:
        float32 [height, width, C] or [B, height, width, C], in the range of the values that came in.
    """
    return tf.image.resize(image, [height, width], method="bilinear", antialias=True)


def resize_long_side(image: tf.Tensor, side: int | tf.Tensor) -> tf.Tensor:
    """Resizes so that the longer side is exactly `side`, keeping the aspect ratio; shrinks and enlarges.

    The short side is short * side / long, rounded half up, and at least 32 px: only pictures thinner than 32 : `side`
    are widened for that.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        side: Pixels, at least 32.

    Returns:
        float32 [h, w, C] or [B, h, w, C] with max(h, w) == side.
    """
    if not tf.is_tensor(side):
        _check(side)
    shape = tf.shape(image)[-3:-1]
    long = tf.reduce_max(shape)
    size = tf.maximum(MIN_SIDE, (2 * shape * side + long) // (2 * long))
    return resize(image, size[0], size[1])


def resize_square(image: tf.Tensor, side: int) -> tf.Tensor:
    """Resizes to `side` x `side` pixels; what is not square is stretched, nothing is cut off.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        side: Pixels, at least 32.

    Returns:
        float32 [side, side, C] or [B, side, side, C].
    """
    _check(side)
    return resize(image, side, side)


def _check(side: int) -> None:
    if side < MIN_SIDE:
        raise ValueError(f"Expected a side of at least {MIN_SIDE} pixels; received {side}.")
