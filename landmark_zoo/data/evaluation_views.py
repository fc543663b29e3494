"""How a photograph becomes a square without a random choice."""

import math
from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.data.resize import resize_square
from landmark_zoo.data.resize_to_cover import resize_to_cover
from landmark_zoo.data.warp import warp

_OVERSIZE = 256 / 224
_ANGLE = 45.0


def stretch(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """Stretches the whole picture to a square; see `resize_square`.

    Args:
        image: uint8 [H, W, 3].
        side: Of the result, in pixels.
        number: int64 scalar, the picture's place in the data set; not used.

    Returns:
        float32 [side, side, 3].
    """
    del number
    return resize_square(image, side)


def centre_crop(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """Resizes the short side to 256 / 224 of `side`, then cuts `side` x `side` pixels out of the middle.

    Args and result as those of `stretch`.
    """
    del number
    image = _oversized(image, side)
    begin = (tf.shape(image)[:2] - side) // 2
    return tf.ensure_shape(tf.slice(image, tf.concat([begin, [0]], 0), [side, side, 3]), [side, side, 3])


def centre_crop_rotated(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """As `centre_crop`, of the picture turned by up to 45 degrees: how a model takes pictures that are not upright.

    The angle depends on `number` alone; corners from outside the picture are black. Args and result as those of `stretch`.
    """
    image = _oversized(image, side)
    begin = tf.cast((tf.shape(image)[:2] - side) // 2, tf.float32)
    limit = math.radians(_ANGLE)
    angle = tf.random.stateless_uniform([], tf.stack([tf.cast(number, tf.int64), 0]), -limit, limit)
    return warp(image, (side, side), begin, tf.ones([2]), angle)


VIEWS: dict[str, Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor]] = {
    "stretch": stretch, "centre_crop": centre_crop, "centre_crop_rotated": centre_crop_rotated}


def _oversized(image: tf.Tensor, side: int) -> tf.Tensor:
    covered = int(side * _OVERSIZE + 0.5)
    return resize_to_cover(image, covered, covered)
