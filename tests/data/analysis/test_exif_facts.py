import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from landmark_zoo.data.analysis.exif_facts import read_exif_facts

GPS = ExifTags.GPS


def exif(base=None, camera=None, place=None):
    found = Image.Exif()
    found.update(base or {})
    found.get_ifd(ExifTags.IFD.Exif).update(camera or {})
    found.get_ifd(ExifTags.IFD.GPSInfo).update(place or {})
    return found


def test_the_day_of_taking_counts_before_the_day_of_the_file():
    facts = read_exif_facts(exif({ExifTags.Base.DateTime: "2020:01:02 03:04:05"},
                                 {ExifTags.Base.DateTimeOriginal: "2007:08:31 12:00:00"}))
    assert facts[:2] == (2007, 8)
    assert read_exif_facts(exif({ExifTags.Base.DateTime: "2020:01:02 03:04:05"}))[:2] == (2020, 1)


@pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "", "    :  :  ", "2007:13:01 00:00:00", "1700:05:05", 5, b"2007"])
def test_a_date_that_is_none_is_unknown(date):
    assert read_exif_facts(exif(camera={ExifTags.Base.DateTimeOriginal: date}))[:2] == (0, 0)


def test_south_and_west_are_negative():
    facts = read_exif_facts(exif(place={GPS.GPSLatitude: (33.0, 51.0, 36.0), GPS.GPSLatitudeRef: "S",
                                        GPS.GPSLongitude: (70.0, 30.0, 0.0), GPS.GPSLongitudeRef: "W"}))
    assert facts.latitude == pytest.approx(-33.86)
    assert facts.longitude == pytest.approx(-70.5)


@pytest.mark.parametrize("place", [
    {GPS.GPSLatitude: (10.0, 0.0, 0.0)},
    {GPS.GPSLatitude: (0.0, 0.0, 0.0), GPS.GPSLongitude: (0.0, 0.0, 0.0)},
    {GPS.GPSLatitude: (95.0, 0.0, 0.0), GPS.GPSLongitude: (1.0, 0.0, 0.0)},
    {GPS.GPSLatitude: (math.nan, 0.0, 0.0), GPS.GPSLongitude: (1.0, 0.0, 0.0)},
    {GPS.GPSLatitude: "north", GPS.GPSLongitude: (1.0,)}])
def test_a_place_that_is_none_is_unknown(place):
    facts = read_exif_facts(exif(place=place))
    assert math.isnan(facts.latitude)
    assert math.isnan(facts.longitude)


@given(st.text(), st.tuples(st.floats(), st.floats(), st.floats()), st.text())
def test_whatever_a_camera_writes_is_no_error(date, degrees, side):
    facts = read_exif_facts(exif(camera={ExifTags.Base.DateTimeOriginal: date},
                                 place={GPS.GPSLatitude: degrees, GPS.GPSLongitude: degrees, GPS.GPSLatitudeRef: side}))
    assert 0 <= facts.month <= 12
    assert math.isnan(facts.latitude) or abs(facts.latitude) <= 90
