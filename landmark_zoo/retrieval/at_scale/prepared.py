"""A picture file as the pixels that `serving_default` would make of it."""

import io
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import MAX_PIXELS, MIN_SIDE, BadPhotograph
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.picture import Picture

_ORIENTATION = 0x0112


def preparation(side: int, apply_exif: bool = True) -> Callable[[Picture], np.ndarray]:
    """Returns a function from a picture to float32 [h, w, 3], its longer side `side`; several threads may call it at once.

    An upright RGB JPEG is decoded once, here; what else Pillow reads becomes one first, as in `model_input`. The function
    raises BadPhotograph.

    Args:
        side: Pixels.
        apply_exif: Turn the picture as its EXIF orientation says.
    """
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def pixels(encoded):
        return resize_long_side(decode_image(encoded), side)

    def prepare(picture: Picture) -> np.ndarray:
        encoded = _plain_jpeg(picture, apply_exif) or model_input(picture, apply_exif)
        try:
            return pixels(tf.constant(encoded)).numpy()
        except tf.errors.InvalidArgumentError as error:
            raise BadPhotograph(error.message.splitlines()[0]) from error

    return prepare


def _plain_jpeg(picture: Picture, apply_exif: bool) -> bytes | None:
    """Returns the bytes of a file that needs nothing done to it, looking at its header alone; else None."""
    if picture.box is not None:
        return None
    try:
        encoded = picture.path.read_bytes()
        image = Image.open(io.BytesIO(encoded), formats=("JPEG",))
        upright = not apply_exif or image.getexif().get(_ORIENTATION, 1) == 1
    except Exception:  # whatever Pillow's parsers trip over, model_input finds again and names
        return None
    fits = min(image.size) >= MIN_SIDE and image.width * image.height <= MAX_PIXELS
    return encoded if image.mode == "RGB" and upright and fits else None
