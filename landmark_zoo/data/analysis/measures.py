"""Measures of one image: size, color, perceptual hash, date and location."""

import io
import math
import re
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from landmark_zoo.data.datasets.images import MAX_PIXELS, MIN_SIDE, InvalidImageError, read_image

SIDE = 128


class SmallImage(NamedTuple):
    """Thumbnail of an image, its full size, and its EXIF tags.

    Attributes:
        pixels: uint8 [h, w, 3], RGB, upright.
        height: Height of the full image, upright, in pixels.
        width: Width of the full image, upright, in pixels.
        exif: EXIF tags of the file; empty if it has none.
    """

    pixels: np.ndarray
    height: int
    width: int
    exif: Image.Exif


def read_small(data: bytes) -> SmallImage:
    """Decodes an image to about `SIDE` pixels; of a JPEG only as many frequencies as that needs.

    Args:
        data: Bytes of the file.

    Raises:
        InvalidImageError: The image is one that `images.read_image` refuses.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        if image.mode not in ("RGB", "L") or min(image.size) < MIN_SIDE or image.width * image.height > MAX_PIXELS:
            return _read_any_format(data)
        exif, (width, height) = image.getexif(), image.size
        if exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
            width, height = height, width
        image.draft("RGB", (SIDE, SIDE))
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        return SmallImage(pixels, height, width, exif)
    except Exception:  # whatever Pillow trips over, the full reader names it
        return _read_any_format(data)


def _read_any_format(data: bytes) -> SmallImage:
    image = read_image(data)
    decoded = Image.open(io.BytesIO(image.encoded))
    decoded.draft("RGB", (SIDE, SIDE))
    return SmallImage(np.asarray(decoded.convert("RGB")), image.original_height, image.original_width,
                        _exif(data))


def _exif(data: bytes) -> Image.Exif:
    try:
        return Image.open(io.BytesIO(data)).getexif()
    except Exception as error:
        raise InvalidImageError(f"{type(error).__name__}: {error}") from error


GRAY_LIMIT = 3.0
TINT_LIMIT = 2.5
_COLOR_SIDE = 96


class Color(NamedTuple):
    """Colorfulness of an image: distances in the a-b plane of CIE Lab, in which 2.3 is just noticeable.

    Attributes:
        strongest: Distance from neutral gray of the 99th percentile of the pixels.
        spread: Root mean square distance from the image's mean color.
    """

    strongest: float
    spread: float


def measure_color(pixels: np.ndarray) -> Color:
    """Measures the colors of an image after averaging it down to 96 x 96, which removes JPEG noise.

    Args:
        pixels: uint8 [h, w, 3], RGB.
    """
    small = cv2.resize(pixels, (_COLOR_SIDE, _COLOR_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    plane = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:].reshape(-1, 2)
    strongest = np.percentile(np.hypot(plane[:, 0], plane[:, 1]), 99)
    return Color(float(strongest), float(np.sqrt(plane.var(axis=0).sum())))


def is_gray(strongest: float | np.ndarray) -> bool | np.ndarray:
    """Returns True if no part of an image has a visible color (black and white)."""
    return strongest <= GRAY_LIMIT


def is_near_gray(strongest: float | np.ndarray, spread: float | np.ndarray) -> bool | np.ndarray:
    """Returns True if an image has one tint all over (sepia, faded) or almost no color, without being gray."""
    return (strongest > GRAY_LIMIT) & (spread <= TINT_LIMIT)


_HASH_SIDE, _FREQUENCIES = 32, 8


def dct_hash(pixels: np.ndarray) -> np.uint64:
    """Returns the perceptual hash of an image: a bit for each of its 64 lowest frequencies, set above their median.

    The image is made gray and 32 x 32. Bit 63 is the mean, set in all but black images; half of the others are set. Similar
    images differ in few bits. Reference: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010,
    sec. 3.1.

    Args:
        pixels: uint8 [h, w, 3], RGB.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    square = cv2.resize(gray, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(square)[:_FREQUENCIES, :_FREQUENCIES].ravel()
    return np.packbits(low > np.median(low[1:])).view(">u8")[0].astype(np.uint64)


_DATE = re.compile(r"(\d{4})[:\-/.](\d{2})[:\-/.]\d{2}")
_FIRST_YEAR, _LAST_YEAR = 1826, 2100


class ExifFacts(NamedTuple):
    """Date and location of an image; unknown or impossible values are 0 or NaN.

    Attributes:
        year: Four digits; 0 if unknown.
        month: 1 to 12; 0 if unknown.
        latitude: Degrees, north positive; NaN if unknown.
        longitude: Degrees, east positive; NaN if unknown.
    """

    year: int
    month: int
    latitude: float
    longitude: float


def read_exif_facts(exif: Image.Exif) -> ExifFacts:
    """Reads date and location from EXIF tags.

    The date is that of taking the image, else that of digitising it, else that of the last change to the file. A location
    of exactly 0, 0 is what phones write without a position, and counts as unknown.

    Args:
        exif: EXIF tags as Pillow reads them; may hold anything.
    """
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    dates = (camera.get(ExifTags.Base.DateTimeOriginal), camera.get(ExifTags.Base.DateTimeDigitized),
             exif.get(ExifTags.Base.DateTime))
    year, month = next((found for date in dates if (found := _year_and_month(date))), (0, 0))
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    latitude = _degrees(place.get(ExifTags.GPS.GPSLatitude), place.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    longitude = _degrees(place.get(ExifTags.GPS.GPSLongitude), place.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if math.isnan(latitude) or math.isnan(longitude) or latitude == longitude == 0:
        latitude = longitude = math.nan
    return ExifFacts(year, month, latitude, longitude)


def _year_and_month(text: object) -> tuple[int, int] | None:
    found = _DATE.match(text.strip()) if isinstance(text, str) else None
    if not found:
        return None
    year, month = int(found[1]), int(found[2])
    return (year, month) if _FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12 else None


def _degrees(parts: object, side: object, negative: str, most: int) -> float:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
    value = degrees + minutes / 60 + seconds / 3600
    if not abs(value) <= most:
        return math.nan
    return -value if str(side).strip("\0 ").upper().startswith(negative) else value


MEASURES = np.dtype([
    ("readable", "?"), ("height", "<i4"), ("width", "<i4"), ("strongest_colour", "<f4"), ("colour_spread", "<f4"),
    ("hash", "<u8"), ("year", "<i2"), ("month", "i1"), ("latitude", "<f4"), ("longitude", "<f4")])


def measure_image(data: bytes) -> tuple:
    """Returns a row of `MEASURES`: size in pixels, `Color`, `dct_hash`, `ExifFacts`.

    Args:
        data: Bytes of the image file, decoded once.

    Raises:
        InvalidImageError: The image cannot be read.
    """
    image = read_small(data)
    return (True, image.height, image.width, *measure_color(image.pixels), dct_hash(image.pixels),
            *read_exif_facts(image.exif))
