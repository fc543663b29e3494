"""A number that stays almost the same when a picture is shrunk, sharpened or saved again."""

import cv2
import numpy as np

BITS = 64
_SIDE, _FREQUENCIES = 32, 8


def dct_hash(pixels: np.ndarray) -> np.uint64:
    """Returns the perceptual hash of a picture: which of its 64 lowest frequencies are stronger than their median.

    The picture is made gray and 32 x 32; bit 63 is the mean, which is always set but in a black picture, and the others are
    set in halves. Two pictures are alike where few bits differ.
    Reference: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, 3.1.

    Args:
        pixels: uint8 [h, w, 3], RGB.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    square = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(square)[:_FREQUENCIES, :_FREQUENCIES].ravel()
    return np.packbits(low > np.median(low[1:])).view(">u8")[0].astype(np.uint64)
