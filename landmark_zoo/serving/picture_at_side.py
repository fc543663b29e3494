"""An encoded picture as the pixels that the signature `images` takes."""

import numpy as np
import tensorflow as tf

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.resize import resize_long_side, resize_square


def picture_at_side(encoded: bytes, side: int, square: bool = False) -> np.ndarray:
    """Returns float32 [1, h, w, 3], the longer side `side`; with `square` both sides, whatever that does to the shape.

    Args:
        encoded: JPEG, PNG, BMP or GIF.
        side: Pixels.
        square: For engines that take one size only.
    """
    resize = resize_square if square else resize_long_side
    return resize(decode_image(tf.constant(encoded)), side)[tf.newaxis].numpy()
