import contextlib
import io
import math
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets import images as module
from landmark_zoo.data.datasets.images import (
    MIN_SIDE,
    InvalidImageError,
    check_box,
    crop,
    read_image,
)


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def difference(data, image):
    return np.abs(pixels(data) - np.asarray(image.convert("RGB")).astype(int)).mean()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}])
def test_upright_rgb_jpeg_keeps_its_bytes(make_image, encode, options):
    data = encode(make_image(40, 50), **options)
    read = read_image(data, max_side=50)
    assert read.encoded == data
    assert (read.height, read.width, read.original_height, read.original_width) == (40, 50, 40, 50)


def test_path_and_bytes_are_the_same(make_image, encode, tmp_path):
    data = encode(make_image(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    assert read_image(tmp_path / "a.png") == read_image(str(tmp_path / "a.png")) == read_image(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(make_image, encode, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(make_image(40, 60), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))

    read = read_image(data)

    assert (read.width, read.height) == (read.original_width, read.original_height) == upright.size
    assert difference(read.encoded, upright) < 3
    assert read_image(read.encoded).encoded == read.encoded


def test_exif_rotation_can_be_left_alone(make_image, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(make_image(40, 60), exif=exif)
    assert read_image(data, apply_exif=False).encoded == data


@pytest.mark.parametrize(("mode", "kind"), [
    ("L", "JPEG"), ("CMYK", "JPEG"), ("YCbCr", "JPEG"), ("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"),
    ("1", "PNG"), ("RGB", "WEBP"), ("RGB", "BMP"), ("P", "GIF"), ("RGB", "TIFF"), ("LAB", "TIFF")])
def test_every_kind_becomes_an_rgb_jpeg(make_image, encode, mode, kind):
    image = make_image(48, 64)
    image = image.quantize(256, dither=Image.Dither.NONE) if mode == "P" else image.convert(mode)
    read = read_image(encode(image, kind))
    again = Image.open(io.BytesIO(read.encoded))
    assert (again.format, again.mode, again.size) == ("JPEG", "RGB", (64, 48))
    assert difference(read.encoded, image) < 4


def test_transparent_pixels_are_laid_on_white(make_image, encode):
    image = make_image(48, 64)
    image.putalpha(Image.new("L", image.size, 0))
    assert pixels(read_image(encode(image, "PNG")).encoded).min() > 250


@pytest.mark.parametrize("gray", [True, False])
def test_sixteen_bits_are_scaled_not_clipped(make_image, gray):
    image = make_image(48, 64).convert("L" if gray else "RGB")
    array = np.asarray(image).astype(np.uint16) * 257
    data = cv2.imencode(".png", array if gray else array[..., ::-1])[1].tobytes()
    assert difference(read_image(data).encoded, image) < 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_first_frame_of_an_animation_counts(make_image, encode, kind):
    first, second = make_image(seed=1), make_image(seed=2)
    read = read_image(encode(first, kind, save_all=True, append_images=[second]))
    assert difference(read.encoded, first) < 8 < difference(read.encoded, second)


def test_shrinks_to_max_side_and_never_enlarges(make_image, encode):
    data = encode(make_image(300, 200))
    small = read_image(data, max_side=100)
    assert (small.height, small.width, small.original_height, small.original_width) == (100, 67, 300, 200)
    assert Image.open(io.BytesIO(small.encoded)).size == (67, 100)
    assert read_image(data, max_side=301).encoded == data


def test_shrinking_is_antialiased(encode):
    board = Image.fromarray((np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    shrunk = pixels(read_image(encode(board, "PNG"), max_side=64).encoded)
    assert abs(shrunk.mean() - 127.5) < 2
    assert shrunk.std() < 3


def test_a_strip_keeps_32_pixels(make_image, encode):
    read = read_image(encode(make_image(40, 800)), max_side=200)
    assert (read.height, read.width) == (MIN_SIDE, 200)


@settings(max_examples=20)
@given(height=st.integers(32, 300), width=st.integers(32, 300), side=st.integers(32, 300))
def test_size_limits(make_image, encode, height, width, side):
    read = read_image(encode(make_image(height, width)), max_side=side)
    assert max(read.height, read.width) == min(side, max(height, width))
    assert min(read.height, read.width) >= MIN_SIDE
    assert (read.original_height, read.original_width) == (height, width)


def bad(name, make_image, encode):
    return {
        "empty": (b"", "empty"),
        "text": (b"hello, this is no image", "not an image"),
        "truncated jpeg": (encode(make_image(200, 200))[:-300], "truncated"),
        "truncated png": (encode(make_image(200, 200), "PNG")[:-300], ""),
        "jpeg without end": (encode(make_image())[:-5], "truncated"),
        "header only": (encode(make_image())[:20], ""),
        "too small": (encode(make_image(31, 100)), "31 x 100 px"),
        "float": (encode(make_image().convert("F"), "TIFF"), "32-bit"),
    }[name]


@pytest.mark.parametrize("name", ["empty", "text", "truncated jpeg", "truncated png", "jpeg without end", "header only",
                                  "too small", "float"])
def test_bad_images_have_a_reason(make_image, encode, name):
    data, reason = bad(name, make_image, encode)
    with pytest.raises(InvalidImageError) as caught:
        read_image(data)
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "nothing.jpg", tmp_path):
        with pytest.raises(InvalidImageError):
            read_image(path)


def test_decompression_bomb_is_not_decoded(make_image, encode, monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 1000)
    with pytest.raises(InvalidImageError, match="more than 1,000"):
        read_image(encode(make_image()))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_counts_as_none(make_image, encode):
    data = encode(make_image(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert read_image(data).encoded == data


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


BESIDE_THE_PIXELS = {
    "exif": chunk(b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03"),
    "exif in a text": chunk(b"tEXt", b"Raw profile type exif\0\nexif\n   3\n45786\n"),
    "large profile": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2_000_000))),
    "profile of an unknown kind": chunk(b"iCCP", b"p\0\1"),
    "cut profile": chunk(b"iCCP", b"p"),
    "large packed text": chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 2_000_000)),
    "large international text": chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(b"a" * 2_000_000)),
    "text with a wrong checksum": chunk(b"tEXt", b"k\0v")[:-1] + b"?",
    "packed text with a wrong checksum": chunk(b"zTXt", b"k\0\0")[:-1] + b"?",
}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", BESIDE_THE_PIXELS)
def test_damage_beside_the_pixels_of_a_png_costs_nothing(make_image, encode, name, late):
    png = encode(make_image(), "PNG")
    at = len(png) - 12 if late else 33
    assert read_image(png[:at] + BESIDE_THE_PIXELS[name] + png[at:]) == read_image(png)


def test_a_large_text_does_not_cost_the_orientation(make_image, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    png = encode(make_image(40, 60), "PNG", exif=exif)
    read = read_image(png[:33] + BESIDE_THE_PIXELS["large packed text"] + png[33:])
    assert read == read_image(png)
    assert (read.height, read.width) == (60, 40)


def test_damaged_exif_of_a_webp_costs_nothing(make_image, encode):
    assert read_image(encode(make_image(), "WEBP", exif=b"junkjunkjunk")) == read_image(encode(make_image(), "WEBP"))


def test_damaged_pixels_of_a_png_are_refused_whatever_stands_beside_them(make_image, encode):
    png = bytearray(encode(make_image(), "PNG"))
    at = png.index(b"IDAT") + 20
    png[at] ^= 255
    with pytest.raises(InvalidImageError):
        read_image(bytes(png[:33]) + BESIDE_THE_PIXELS["large profile"] + bytes(png[33:]))


def test_max_side_below_the_minimum(make_image, encode):
    with pytest.raises(ValueError, match="at least 32; received 31"):
        read_image(encode(make_image()), max_side=31)


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_bytes_end_in_an_image_or_a_reason(make_image, encode, data):
    damaged = bytearray(encode(make_image()))
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidImageError):
        assert read_image(bytes(damaged)).height >= MIN_SIDE


@pytest.mark.photographs
def test_real_images_pass_untouched(shared_data):
    for path in sorted((shared_data / "photos" / "world").rglob("*.jpg"))[::40]:
        assert read_image(path, max_side=512).encoded == path.read_bytes()


IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, [40, 60, 3], np.uint8))


def test_crop_at_whole_numbers():
    np.testing.assert_array_equal(crop(IMAGE, (10, 5, 30, 25), "q"), np.asarray(IMAGE)[5:25, 10:30])


def test_crop_rounds_halves_to_even():
    assert crop(IMAGE, (0.5, 1.5, 10.5, 11.5), "q").size == (10, 10)
    np.testing.assert_array_equal(crop(IMAGE, (0.5, 1.5, 10.5, 11.5), "q"), np.asarray(IMAGE)[2:12, 0:10])


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 29), st.floats(0, 19), st.floats(1.01, 30), st.floats(1.01, 20))
def test_crop_equals_pillow_on_floats(x, y, width, height):
    box = (x, y, x + width, y + height)
    np.testing.assert_array_equal(crop(IMAGE, box, "q"), IMAGE.crop(box))


@pytest.mark.parametrize("box", [(0, 0, 61, 40), (0, 0, 60, 40.6), (10.1, 10, 10.2, 20), (20, 5, 10, 10)])
def test_crop_refuses_impossible_boxes(box):
    with pytest.raises(UserError, match="q7"):
        crop(IMAGE, box, "q7")


def test_check_box():
    assert check_box([1, 2.5, 30, 40], "q") == (1.0, 2.5, 30.0, 40.0)


@pytest.mark.parametrize("box", [
    [3, 0, 3, 9], [5, 0, 3, 9], [0, 9, 3, 2], [-1, 0, 3, 9], [0, 0, 3], [0, 0, math.nan, 9], [0, 0, math.inf, 9], None,
    ["a", 0, 1, 2],
])
def test_check_box_names_the_image(box):
    with pytest.raises(UserError, match="for all_souls_000013"):
        check_box(box, "all_souls_000013")


def _loop(path):
    path.symlink_to(path.name)


def _sparse(path):
    with open(path, "wb") as file:
        file.truncate(40 * 2**30)


@pytest.mark.parametrize(("make", "reason"), [
    (_loop, "too many levels of symbolic links"), (os.mkfifo, "not a regular file"),
    (lambda path: path.symlink_to("/dev/zero"), "not a regular file"), (_sparse, "42,949,672,960 bytes, more than"),
    (os.mkdir, "is a directory"), (lambda path: None, "no such file or directory")])
def test_what_is_no_file_of_an_image_has_a_reason(tmp_path, make, reason):
    make(tmp_path / "x.jpg")
    with pytest.raises(InvalidImageError, match=reason):
        read_image(tmp_path / "x.jpg")
