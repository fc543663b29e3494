import contextlib
import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from landmark_zoo.data import photograph as module
from landmark_zoo.data.photograph import MIN_SIDE, BadPhotograph, read_photograph


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def difference(data, image):
    return np.abs(pixels(data) - np.asarray(image.convert("RGB")).astype(int)).mean()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}])
def test_upright_rgb_jpeg_keeps_its_bytes(picture, encode, options):
    data = encode(picture(40, 50), **options)
    read = read_photograph(data, max_side=50)
    assert read.encoded == data
    assert (read.height, read.width, read.original_height, read.original_width) == (40, 50, 40, 50)


def test_path_and_bytes_are_the_same(picture, encode, tmp_path):
    data = encode(picture(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    assert read_photograph(tmp_path / "a.png") == read_photograph(str(tmp_path / "a.png")) == read_photograph(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(picture, encode, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture(40, 60), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))

    read = read_photograph(data)

    assert (read.width, read.height) == (read.original_width, read.original_height) == upright.size
    assert difference(read.encoded, upright) < 3
    assert read_photograph(read.encoded).encoded == read.encoded


def test_exif_rotation_can_be_left_alone(picture, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(picture(40, 60), exif=exif)
    assert read_photograph(data, apply_exif=False).encoded == data


@pytest.mark.parametrize(("mode", "kind"), [
    ("L", "JPEG"), ("CMYK", "JPEG"), ("YCbCr", "JPEG"), ("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"),
    ("1", "PNG"), ("RGB", "WEBP"), ("RGB", "BMP"), ("P", "GIF"), ("RGB", "TIFF"), ("LAB", "TIFF")])
def test_every_kind_becomes_an_rgb_jpeg(picture, encode, mode, kind):
    image = picture(48, 64)
    image = image.quantize(256, dither=Image.Dither.NONE) if mode == "P" else image.convert(mode)
    read = read_photograph(encode(image, kind))
    again = Image.open(io.BytesIO(read.encoded))
    assert (again.format, again.mode, again.size) == ("JPEG", "RGB", (64, 48))
    assert difference(read.encoded, image) < 4


def test_transparent_pixels_are_laid_on_white(picture, encode):
    image = picture(48, 64)
    image.putalpha(Image.new("L", image.size, 0))
    assert pixels(read_photograph(encode(image, "PNG")).encoded).min() > 250


@pytest.mark.parametrize("gray", [True, False])
def test_sixteen_bits_are_scaled_not_clipped(picture, gray):
    image = picture(48, 64).convert("L" if gray else "RGB")
    array = np.asarray(image).astype(np.uint16) * 257
    data = cv2.imencode(".png", array if gray else array[..., ::-1])[1].tobytes()
    assert difference(read_photograph(data).encoded, image) < 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_first_frame_of_an_animation_counts(picture, encode, kind):
    first, second = picture(seed=1), picture(seed=2)
    read = read_photograph(encode(first, kind, save_all=True, append_images=[second]))
    assert difference(read.encoded, first) < 8 < difference(read.encoded, second)


def test_shrinks_to_max_side_and_never_enlarges(picture, encode):
    data = encode(picture(300, 200))
    small = read_photograph(data, max_side=100)
    assert (small.height, small.width, small.original_height, small.original_width) == (100, 67, 300, 200)
    assert Image.open(io.BytesIO(small.encoded)).size == (67, 100)
    assert read_photograph(data, max_side=301).encoded == data


def test_shrinking_is_antialiased(encode):
    board = Image.fromarray((np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    shrunk = pixels(read_photograph(encode(board, "PNG"), max_side=64).encoded)
    assert abs(shrunk.mean() - 127.5) < 2
    assert shrunk.std() < 3


def test_a_strip_keeps_32_pixels(picture, encode):
    read = read_photograph(encode(picture(40, 800)), max_side=200)
    assert (read.height, read.width) == (MIN_SIDE, 200)


@settings(max_examples=20)
@given(height=st.integers(32, 300), width=st.integers(32, 300), side=st.integers(32, 300))
def test_sizes(picture, encode, height, width, side):
    read = read_photograph(encode(picture(height, width)), max_side=side)
    assert max(read.height, read.width) == min(side, max(height, width))
    assert min(read.height, read.width) >= MIN_SIDE
    assert (read.original_height, read.original_width) == (height, width)


def bad(name, picture, encode):
    return {
        "empty": (b"", "empty"),
        "text": (b"hello, this is no picture", "not a picture"),
        "truncated jpeg": (encode(picture(200, 200))[:-300], "truncated"),
        "truncated png": (encode(picture(200, 200), "PNG")[:-300], ""),
        "jpeg without end": (encode(picture())[:-5], "truncated"),
        "header only": (encode(picture())[:20], ""),
        "too small": (encode(picture(31, 100)), "31 x 100 px"),
        "float": (encode(picture().convert("F"), "TIFF"), "32-bit"),
    }[name]


@pytest.mark.parametrize("name", ["empty", "text", "truncated jpeg", "truncated png", "jpeg without end", "header only",
                                  "too small", "float"])
def test_bad_ones_say_why(picture, encode, name):
    data, reason = bad(name, picture, encode)
    with pytest.raises(BadPhotograph) as caught:
        read_photograph(data)
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason


def test_missing_file_and_folder_are_bad(tmp_path):
    for path in (tmp_path / "nothing.jpg", tmp_path):
        with pytest.raises(BadPhotograph):
            read_photograph(path)


def test_decompression_bomb_is_not_decoded(picture, encode, monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 1000)
    with pytest.raises(BadPhotograph, match="more than 1,000"):
        read_photograph(encode(picture()))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_counts_as_none(picture, encode):
    data = encode(picture(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert read_photograph(data).encoded == data


def test_max_side_below_the_least_is_a_programmers_mistake(picture, encode):
    with pytest.raises(ValueError, match="at least 32; received 31"):
        read_photograph(encode(picture()), max_side=31)


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_bytes_end_in_a_photograph_or_a_reason(picture, encode, data):
    damaged = bytearray(encode(picture()))
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadPhotograph):
        assert read_photograph(bytes(damaged)).height >= MIN_SIDE


@pytest.mark.photographs
def test_real_photographs_pass_untouched(shared_data):
    for path in sorted((shared_data / "photos" / "world").rglob("*.jpg"))[::40]:
        assert read_photograph(path, max_side=512).encoded == path.read_bytes()
