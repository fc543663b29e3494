"""All that is measured on one photograph."""

import numpy as np

from landmark_zoo.data.analysis.colour import measure_colour
from landmark_zoo.data.analysis.dct_hash import dct_hash
from landmark_zoo.data.analysis.exif_facts import read_exif_facts
from landmark_zoo.data.analysis.small_picture import read_small

MEASURES = np.dtype([
    ("readable", "?"), ("height", "<i4"), ("width", "<i4"), ("strongest_colour", "<f4"), ("colour_spread", "<f4"),
    ("hash", "<u8"), ("year", "<i2"), ("month", "i1"), ("latitude", "<f4"), ("longitude", "<f4")])


def measure(data: bytes) -> tuple:
    """Returns a row of `MEASURES`: sizes in pixels, `Colour`, `dct_hash`, `ExifFacts`.

    Args:
        data: The photograph's bytes, decoded once.

    Raises:
        BadPhotograph: It cannot be read.
    """
    picture = read_small(data)
    return (True, picture.height, picture.width, *measure_colour(picture.pixels), dct_hash(picture.pixels),
            *read_exif_facts(picture.exif))
