"""A photograph as the measures want it: decoded small and fast."""

import io
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from landmark_zoo.data.photograph import MAX_PIXELS, MIN_SIDE, BadPhotograph, read_photograph

SIDE = 128


class SmallPicture(NamedTuple):
    """A shrunken photograph and what its file says of it.

    Attributes:
        pixels: uint8 [h, w, 3], RGB, upright.
        height: Of the photograph itself, upright, in pixels.
        width: Likewise.
        exif: What the camera wrote; empty where it wrote nothing.
    """

    pixels: np.ndarray
    height: int
    width: int
    exif: Image.Exif


def read_small(data: bytes) -> SmallPicture:
    """Decodes a photograph to about `SIDE` pixels; of a JPEG only as many frequencies as that needs.

    Args:
        data: The file's bytes.

    Raises:
        BadPhotograph: As `photograph.read_photograph`.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        if image.mode not in ("RGB", "L") or min(image.size) < MIN_SIDE or image.width * image.height > MAX_PIXELS:
            return _by_the_long_way(data)
        exif, (width, height) = image.getexif(), image.size
        if exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
            width, height = height, width
        image.draft("RGB", (SIDE, SIDE))
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        return SmallPicture(pixels, height, width, exif)
    except Exception:  # whatever Pillow trips over, the long way names it
        return _by_the_long_way(data)


def _by_the_long_way(data: bytes) -> SmallPicture:
    photograph = read_photograph(data)
    image = Image.open(io.BytesIO(photograph.encoded))
    image.draft("RGB", (SIDE, SIDE))
    return SmallPicture(np.asarray(image.convert("RGB")), photograph.original_height, photograph.original_width,
                        _exif(data))


def _exif(data: bytes) -> Image.Exif:
    try:
        return Image.open(io.BytesIO(data)).getexif()
    except Exception as error:
        raise BadPhotograph(f"{type(error).__name__}: {error}") from error
