import io

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import read_photograph


def rgb(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def decoded(data, **options):
    return decode_image(tf.constant(data), **options).numpy()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 20}])
def test_accurate_equals_pillow_bit_for_bit(picture, encode, options):
    data = encode(picture(75, 101), **options)
    np.testing.assert_array_equal(decoded(data), rgb(data))


def test_fast_is_near_but_not_equal(picture, encode):
    data = encode(picture(75, 101))
    fast, accurate = decoded(data, accurate=False).astype(int), decoded(data).astype(int)
    assert 0 < np.abs(fast - accurate).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_other_kinds(picture, encode, kind):
    data = encode(picture(40, 56), kind)
    assert decoded(data).shape == (40, 56, 3)
    np.testing.assert_array_equal(decoded(data), rgb(data))


def half_transparent(picture):
    image = picture(48, 64)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def sixteen_bits(picture, channels):
    array = np.asarray(picture(48, 64)).astype(np.uint16) * 257
    alpha = np.full((48, 64, 1), 40000, np.uint16)
    array = {1: array[..., 0], 3: array, 4: np.concatenate([array, alpha], 2)}[channels]
    return cv2.imencode(".png", array)[1].tobytes()


KINDS = {
    "gray": lambda p, e: e(p().convert("L")),
    "cmyk": lambda p, e: e(p().convert("CMYK")),
    "palette": lambda p, e: e(p().quantize(200), "PNG"),
    "palette of 16": lambda p, e: e(p().quantize(16), "PNG", bits=4),
    "one bit": lambda p, e: e(p().convert("1"), "PNG"),
    "gray png": lambda p, e: e(p().convert("L"), "PNG"),
    "alpha": lambda p, e: e(half_transparent(p), "PNG"),
    "gray and alpha": lambda p, e: e(half_transparent(p).convert("LA"), "PNG"),
    "transparent colour": lambda p, e: e(p().quantize(200), "PNG", transparency=3),
    "16 bit gray": lambda p, e: sixteen_bits(p, 1),
    "16 bit": lambda p, e: sixteen_bits(p, 3),
    "animated png": lambda p, e: e(p(seed=1), "PNG", save_all=True, append_images=[p(seed=2)]),
    "animated gif": lambda p, e: e(p(seed=1), "GIF", save_all=True, append_images=[p(seed=2)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_serving_sees_what_records_hold(picture, encode, kind):
    data = KINDS[kind](picture, encode)
    stored = decoded(read_photograph(data).encoded).astype(int)
    assert np.abs(decoded(data).astype(int) - stored).mean() < 6


def test_sixteen_bits_do_not_wrap(picture):
    expected = np.asarray(picture(48, 64))[..., ::-1]
    np.testing.assert_array_equal(decoded(sixteen_bits(picture, 3)), expected)


def test_rank_is_static_and_nothing_else_needs_to_be(picture, encode):
    function = tf.function(decode_image, input_signature=[tf.TensorSpec([], tf.string)])
    assert function.get_concrete_function().structured_outputs.shape.as_list() == [None, None, 3]
    for kind in ("JPEG", "PNG", "BMP", "GIF"):
        assert function(encode(picture(), kind)).shape == (48, 64, 3)


BROKEN = {
    "empty": lambda p, e: b"",
    "one byte": lambda p, e: b"x",
    "text": lambda p, e: b"hello",
    "jpeg magic": lambda p, e: b"\xff\xd8\xff",
    "png magic": lambda p, e: b"\x89PNG\r\n\x1a\n",
    "truncated jpeg": lambda p, e: e(p())[:-200],
    "truncated png": lambda p, e: e(p(), "PNG")[:-200],
    "truncated bmp": lambda p, e: e(p(), "BMP")[:-200],
    "truncated gif": lambda p, e: e(p(), "GIF")[:300],
    "webp": lambda p, e: e(p(), "WEBP"),
}


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_bytes_raise(picture, encode, kind, graph):
    function = tf.function(decode_image) if graph else decode_image
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(tf.constant(BROKEN[kind](picture, encode)))
