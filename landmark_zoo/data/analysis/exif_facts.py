"""When and where a photograph was taken, as its camera wrote it."""

import math
import re
from typing import NamedTuple

from PIL import ExifTags, Image

_DATE = re.compile(r"(\d{4})[:\-/.](\d{2})[:\-/.]\d{2}")
_FIRST_YEAR, _LAST_YEAR = 1826, 2100


class ExifFacts(NamedTuple):
    """What is not written, or cannot be true, is 0 or NaN.

    Attributes:
        year: Four digits; 0 where unknown.
        month: 1 to 12; 0 where unknown.
        latitude: Degrees, north positive; NaN where unknown.
        longitude: Degrees, east positive; NaN where unknown.
    """

    year: int
    month: int
    latitude: float
    longitude: float


def read_exif_facts(exif: Image.Exif) -> ExifFacts:
    """Reads date and place.

    The date is that of taking the photograph, else that of digitising it, else that of the last change to the file. A place
    of exactly 0, 0 is what phones write that do not know where they are, and counts as unknown.

    Args:
        exif: Of Pillow; may hold anything.
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
