import numpy as np
import pytest
from PIL import ExifTags, Image

from landmark_zoo.data.analysis.small_picture import SIDE, read_small
from landmark_zoo.data.photograph import BadPhotograph


def test_a_jpeg_is_shrunk_and_its_size_remembered(picture, encode):
    small = read_small(encode(picture(960, 1280), quality=90))
    assert (small.height, small.width) == (960, 1280)
    assert SIDE <= max(small.pixels.shape[:2]) <= 2 * SIDE + 64
    assert small.pixels.dtype == np.uint8


def test_a_turned_photograph_is_upright_in_size_and_pixels(picture, encode):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    small = read_small(encode(picture(48, 64), exif=exif))
    assert (small.height, small.width) == small.pixels.shape[:2] == (64, 48)
    assert small.exif[ExifTags.Base.Orientation] == 6


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB")])
def test_every_kind_becomes_rgb(picture, encode, kind, mode):
    small = read_small(encode(picture(48, 64).convert(mode), kind))
    assert small.pixels.shape == (48, 64, 3)
    assert (small.height, small.width) == (48, 64)


def test_a_bad_one_is_refused_with_a_reason(picture, encode):
    whole = encode(picture(480, 640), quality=95)
    for data, reason in ((b"", "empty file"), (b"text", "not a picture"), (whole[:len(whole) // 2], "truncated"),
                         (encode(picture(20, 64)), "smaller than 32")):
        with pytest.raises(BadPhotograph, match=reason):
            read_small(data)
