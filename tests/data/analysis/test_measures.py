import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageEnhance

from landmark_zoo.data.analysis.measures import (
    MEASURES,
    SIDE,
    dct_hash,
    is_gray,
    is_near_gray,
    measure_color,
    measure_image,
    read_exif_facts,
    read_small,
)
from landmark_zoo.data.datasets.images import InvalidImageError


def test_measure_image_fits_the_table(make_image, encode):
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2011:05:04 00:00:00"
    row = np.array([measure_image(encode(make_image(300, 400).convert("L"), exif=exif))], MEASURES)[0]
    assert row["readable"]
    assert (row["height"], row["width"], row["year"], row["month"]) == (300, 400, 2011, 5)
    assert row["strongest_colour"] < 1
    assert row["hash"] > 0
    assert np.isnan(row["latitude"])


def test_measure_image_refuses_a_bad_image():
    with pytest.raises(InvalidImageError):
        measure_image(b"nothing")


def test_a_jpeg_is_shrunk_and_its_size_remembered(make_image, encode):
    small = read_small(encode(make_image(960, 1280), quality=90))
    assert (small.height, small.width) == (960, 1280)
    assert SIDE <= max(small.pixels.shape[:2]) <= 2 * SIDE + 64
    assert small.pixels.dtype == np.uint8


def test_a_turned_image_is_upright_in_size_and_pixels(make_image, encode):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    small = read_small(encode(make_image(48, 64), exif=exif))
    assert (small.height, small.width) == small.pixels.shape[:2] == (64, 48)
    assert small.exif[ExifTags.Base.Orientation] == 6


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB")])
def test_every_kind_becomes_rgb(make_image, encode, kind, mode):
    small = read_small(encode(make_image(48, 64).convert(mode), kind))
    assert small.pixels.shape == (48, 64, 3)
    assert (small.height, small.width) == (48, 64)


def test_read_small_refuses_with_a_reason(make_image, encode):
    whole = encode(make_image(480, 640), quality=95)
    for data, reason in ((b"", "empty file"), (b"text", "not an image"), (whole[:len(whole) // 2], "truncated"),
                         (encode(make_image(20, 64)), "smaller than 32")):
        with pytest.raises(InvalidImageError, match=reason):
            read_small(data)


def pixels(*tones):
    return np.array([tones], np.uint8).repeat(40, axis=0).repeat(40, axis=1)


@pytest.mark.parametrize("tones", [[(0, 0, 0)], [(255, 255, 255)], [(0, 0, 0), (90, 90, 90), (255, 255, 255)]])
def test_black_and_white_is_gray(tones):
    color = measure_color(pixels(*tones))
    assert is_gray(color.strongest)
    assert not is_near_gray(*color)


def test_one_tint_is_almost_gray():
    color = measure_color(pixels((112, 100, 88), (122, 110, 98), (135, 123, 110)))
    assert is_near_gray(*color)
    assert not is_gray(color.strongest)


def test_color_image_is_neither(make_image):
    color = measure_color(np.asarray(make_image(64, 64)))
    assert not is_gray(color.strongest)
    assert not is_near_gray(*color)


def test_the_noise_of_jpeg_does_not_make_color(make_image, encode):
    gray = make_image(96, 128).convert("L").convert("RGB")
    saved = Image.open(io.BytesIO(encode(gray, quality=40)))
    assert is_gray(measure_color(np.asarray(saved)).strongest)


def test_a_red_square_of_two_percent_is_color():
    gray = np.full((100, 100, 3), 128, np.uint8)
    gray[:15, :15] = (255, 0, 0)
    assert not is_gray(measure_color(gray).strongest)


def bits(one, other):
    return (int(dct_hash(np.asarray(one))) ^ int(dct_hash(np.asarray(other)))).bit_count()


def scene(seed):
    coarse = np.random.default_rng(seed).integers(20, 236, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((256, 192), Image.Resampling.BICUBIC)


def test_a_copy_that_was_shrunk_darkened_or_saved_badly_stays_near(encode):
    original = scene(3)
    assert bits(original, original.resize((128, 96))) <= 4
    assert bits(original, ImageEnhance.Brightness(original).enhance(0.8)) <= 4
    assert bits(original, Image.open(io.BytesIO(encode(original, quality=25)))) <= 6


def test_dct_hashes_of_other_images_are_far():
    assert min(bits(scene(1), scene(seed)) for seed in range(2, 12)) > 12


def test_dct_hash_of_a_black_image():
    assert dct_hash(np.zeros((40, 50, 3), np.uint8)) == 0


def test_dct_hash_equals_imagehash():
    imagehash = pytest.importorskip("imagehash")
    ours = [dct_hash(np.asarray(scene(seed))) for seed in range(6)]
    theirs = [imagehash.phash(scene(seed)).hash for seed in range(6)]
    for mine, other in zip(ours, theirs, strict=True):
        agreed = np.unpackbits(np.array([mine], ">u8").view(np.uint8)) == other.ravel()
        assert agreed[1:].sum() >= 50, "the same frequencies; another resize and another median"


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
