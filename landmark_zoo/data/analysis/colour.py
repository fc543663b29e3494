"""How much colour a picture has."""

from typing import NamedTuple

import cv2
import numpy as np

GREY_LIMIT = 3.0
TINT_LIMIT = 2.5
_SIDE = 96


class Colour(NamedTuple):
    """Distances in the a-b plane of CIE Lab; a difference of 2.3 can just be seen.

    Attributes:
        strongest: From neutral grey, of the 99th percentile of the pixels.
        spread: From the picture's own mean colour, root mean square.
    """

    strongest: float
    spread: float


def measure_colour(pixels: np.ndarray) -> Colour:
    """Measures the colours of a picture after averaging it down to 96 x 96, which takes the noise of JPEG away.

    Args:
        pixels: uint8 [h, w, 3], RGB.
    """
    small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    plane = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:].reshape(-1, 2)
    strongest = np.percentile(np.hypot(plane[:, 0], plane[:, 1]), 99)
    return Colour(float(strongest), float(np.sqrt(plane.var(axis=0).sum())))


def is_grey(strongest: float | np.ndarray) -> bool | np.ndarray:
    """Says whether no part of a picture has a visible colour: black and white."""
    return strongest <= GREY_LIMIT


def is_near_grey(strongest: float | np.ndarray, spread: float | np.ndarray) -> bool | np.ndarray:
    """Says whether a picture has one tint all over (sepia, faded) or almost no colour, without being grey."""
    return (strongest > GREY_LIMIT) & (spread <= TINT_LIMIT)
