import io
import math

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from landmark_zoo.data.datasets.images import read_image
from landmark_zoo.data.image_ops import (
    decode_image,
    resize,
    resize_long_side,
    resize_square,
    resize_to_cover,
    warp,
)


def rgb(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def decoded(data, **options):
    return decode_image(tf.constant(data), **options).numpy()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 20}])
def test_accurate_equals_pillow_bit_for_bit(make_image, encode, options):
    data = encode(make_image(75, 101), **options)
    np.testing.assert_array_equal(decoded(data), rgb(data))


def test_fast_is_near_but_not_equal(make_image, encode):
    data = encode(make_image(75, 101))
    fast, accurate = decoded(data, accurate=False).astype(int), decoded(data).astype(int)
    assert 0 < np.abs(fast - accurate).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_other_kinds(make_image, encode, kind):
    data = encode(make_image(40, 56), kind)
    assert decoded(data).shape == (40, 56, 3)
    np.testing.assert_array_equal(decoded(data), rgb(data))


def half_transparent(make_image):
    image = make_image(48, 64)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def sixteen_bits(make_image, channels):
    array = np.asarray(make_image(48, 64)).astype(np.uint16) * 257
    alpha = np.full((48, 64, 1), 40000, np.uint16)
    array = {1: array[..., 0], 3: array, 4: np.concatenate([array, alpha], 2)}[channels]
    return cv2.imencode(".png", array)[1].tobytes()


KINDS = {
    "gray bmp": lambda p, e: e(p().convert("L"), "BMP"),
    "palette bmp": lambda p, e: e(p().quantize(64), "BMP"),
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
def test_serving_sees_what_records_hold(make_image, encode, kind):
    data = KINDS[kind](make_image, encode)
    stored = decoded(read_image(data).encoded).astype(int)
    assert np.abs(decoded(data).astype(int) - stored).mean() < 6


def test_sixteen_bits_do_not_wrap(make_image):
    expected = np.asarray(make_image(48, 64))[..., ::-1]
    np.testing.assert_array_equal(decoded(sixteen_bits(make_image, 3)), expected)


def test_rank_is_static_and_nothing_else_needs_to_be(make_image, encode):
    function = tf.function(decode_image, input_signature=[tf.TensorSpec([], tf.string)])
    assert function.get_concrete_function().structured_outputs.shape.as_list() == [None, None, 3]
    for kind in ("JPEG", "PNG", "BMP", "GIF"):
        assert function(encode(make_image(), kind)).shape == (48, 64, 3)


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
    "1-bit bmp": lambda p, e: e(p().convert("1"), "BMP"),
    "32-bit bmp": lambda p, e: e(p().convert("RGBA"), "BMP"),
    "bmp whose palette is short": lambda p, e: (lambda d: d[:46] + b"\2\0\0\0" + d[50:])(e(p().quantize(64), "BMP")),
    "bmp magic": lambda p, e: b"BM",
}


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_bytes_raise(make_image, encode, kind, graph):
    function = tf.function(decode_image) if graph else decode_image
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(tf.constant(BROKEN[kind](make_image, encode)))


def test_same_size_is_the_identity():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    result = resize(image, 40, 50)
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, image, atol=1e-3)


def test_halving_averages_with_the_triangle_by_hand():
    row = np.zeros((1, 8, 1), np.float32)
    row[0, 3] = 1
    np.testing.assert_allclose(resize(row, 1, 4)[0, :, 0], [0, 3 / 8, 1 / 8, 0], atol=1e-6)


def test_fine_patterns_turn_gray_instead_of_aliasing():
    board = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    small = resize_square(board, 64).numpy()
    assert abs(small.mean() - 127.5) < 1
    assert small.std() < 2


def test_batches_are_resized_image_by_image():
    images = np.random.default_rng(0).random((2, 60, 40, 3)).astype(np.float32)
    both = resize_long_side(images, 48)
    assert both.shape == (2, 48, 32, 3)
    np.testing.assert_allclose(both[1], resize_long_side(images[1], 48), atol=1e-6)


@pytest.mark.parametrize(("shape", "side", "expected"), [
    ((100, 200), 50, (32, 50)),
    ((100, 200), 400, (200, 400)),
    ((200, 100), 400, (400, 200)),
    ((300, 200), 100, (100, 67)),
    ((40, 800), 200, (32, 200)),
    ((64, 64), 32, (32, 32)),
])
def test_long_side_is_exact_and_the_short_one_at_least_32(shape, side, expected):
    assert resize_long_side(tf.zeros([*shape, 3]), side).shape[:2] == expected


@settings(max_examples=30)
@given(height=st.integers(32, 400), width=st.integers(32, 400), side=st.integers(32, 400))
def test_long_side_rounds_as_the_records_do(make_image, encode, height, width, side):
    resized = resize_long_side(tf.zeros([height, width, 1]), side).shape
    if side < max(height, width):
        stored = read_image(encode(make_image(height, width)), max_side=side)
        assert resized[:2] == (stored.height, stored.width)
    assert max(resized[:2]) == side
    assert min(resized[:2]) == max(32, int(min(height, width) * side / max(height, width) + 0.5))


def test_a_constant_stays_constant():
    result = resize_square(np.full((50, 90, 3), 200, np.uint8), 64).numpy()
    np.testing.assert_allclose(result, 200, atol=1e-3)


def test_graph_with_unknown_sizes_equals_eager():
    function = tf.function(resize_long_side, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8),
                                                              tf.TensorSpec([], tf.int32)])
    image = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    np.testing.assert_allclose(function(image, 64), resize_long_side(image, 64), atol=1e-4)


def test_sides_below_32_are_refused():
    for function in (resize_square, resize_long_side):
        with pytest.raises(ValueError, match="at least 32 pixels; received 31"):
            function(tf.zeros([64, 64, 3]), 31)


@pytest.mark.parametrize(("shape", "target", "expected"), [
    ((100, 200), (50, 50), (50, 100)),
    ((200, 100), (50, 50), (100, 50)),
    ((100, 200), (256, 256), (256, 512)),
    ((100, 100), (96, 128), (128, 128)),
    ((300, 200), (96, 128), (192, 128)),
    ((512, 341), (256, 256), (384, 256)),
])
def test_the_short_side_fits_exactly(shape, target, expected):
    assert resize_to_cover(tf.zeros([*shape, 3]), *target).shape[:2] == expected


@settings(max_examples=60)
@given(st.integers(10, 300), st.integers(10, 300), st.integers(10, 120), st.integers(10, 120))
def test_covers_with_one_side_equal_and_keeps_the_aspect(height, width, target_height, target_width):
    h, w = resize_to_cover(tf.zeros([height, width, 1]), target_height, target_width).shape[:2]
    assert h >= target_height
    assert w >= target_width
    assert h == target_height or w == target_width
    assert abs(h * width - w * height) <= max(height, width)


def test_sizes_may_be_tensors():
    image = np.random.default_rng(0).random((60, 90, 3)).astype(np.float32)
    function = tf.function(resize_to_cover)
    np.testing.assert_allclose(function(image, tf.constant(32), tf.constant(40)), resize_to_cover(image, 32, 40), atol=1e-5)


IMAGE = np.random.default_rng(0).uniform(0, 255, (12, 20, 3)).astype(np.float32)
ONE = tf.ones([2])


@pytest.mark.parametrize("begin", [(0, 0), (2, 5), (7, 12)])
def test_without_a_turn_it_is_a_cut(begin):
    cut = warp(IMAGE, (5, 8), tf.constant(begin, tf.float32), ONE, 0.0)
    np.testing.assert_allclose(cut, IMAGE[begin[0]:begin[0] + 5, begin[1]:begin[1] + 8], atol=1e-3)
    assert cut.shape == (5, 8, 3)


def test_quarter_turns_are_counterclockwise_about_the_center():
    square = IMAGE[:, 4:16]
    for quarters in range(1, 4):
        turned = warp(square, (12, 12), tf.zeros([2]), ONE, quarters * math.pi / 2)
        np.testing.assert_allclose(turned[1:-1, 1:-1], np.rot90(square, quarters)[1:-1, 1:-1], atol=0.05)


def test_a_half_turn_of_a_cut_is_the_opposite_cut():
    turned = warp(IMAGE, (4, 6), tf.constant([1.0, 2.0]), ONE, math.pi)
    np.testing.assert_allclose(turned, IMAGE[::-1, ::-1][1:5, 2:8], atol=0.05)


@settings(max_examples=30)
@given(st.floats(-math.pi, math.pi), st.integers(8, 24), st.integers(8, 24))
def test_a_rotation_is_that_of_addons(angle, height, width):
    addons = pytest.importorskip("tensorflow_addons", reason="tensorflow-addons stops at TensorFlow 2.15")
    image = tf.constant(np.random.default_rng(height * width).uniform(0, 255, (height, width, 3)).astype(np.float32))
    expected = addons.image.rotate(image, angle, interpolation="bilinear", fill_mode="constant", fill_value=0.0)
    np.testing.assert_allclose(warp(image, (height, width), tf.zeros([2]), ONE, angle), expected, atol=0.02)
    np.testing.assert_allclose(warp(image, (5, 6), tf.constant([2.0, 1.0]), ONE, angle), expected[2:7, 1:7], atol=0.02)


def test_outside_is_black():
    padded = warp(IMAGE, (12, 20), tf.constant([-3.0, 4.0]), ONE, 0.0).numpy()
    np.testing.assert_allclose(padded[3:, :16], IMAGE[:9, 4:], atol=1e-3)
    assert not padded[:3].any()
    assert not padded[:, 16:].any()


def test_steps_stretch_each_axis_by_itself():
    ramp = np.stack(np.meshgrid(np.arange(40.0), np.arange(30.0)), axis=-1).astype(np.float32)
    result = warp(ramp, (10, 10), tf.constant([3.0, 4.0]), tf.constant([1.5, 2.0]), 0.0).numpy()
    across, down = np.meshgrid(4 + 2 * (np.arange(10) + 0.5) - 0.5, 3 + 1.5 * (np.arange(10) + 0.5) - 0.5)
    np.testing.assert_allclose(result, np.stack([across, down], -1), atol=1e-3)


@settings(max_examples=40)
@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(-5, 5), st.floats(0.5, 1.5), st.floats(0.5, 1.5))
def test_equals_a_loop_over_the_pixels(angle, top, left, down, across):
    begin, step = tf.constant([top, left], tf.float32), tf.constant([down, across], tf.float32)
    result = warp(IMAGE, (6, 5), begin, step, angle).numpy()
    padded = np.pad(IMAGE, ((1, 1), (1, 1), (0, 0)))
    for row in range(6):
        for column in range(5):
            y, x = top + down * (row + 0.5) - 6, left + across * (column + 0.5) - 10
            v = math.sin(angle) * x + math.cos(angle) * y + 6 - 0.5
            u = math.cos(angle) * x - math.sin(angle) * y + 10 - 0.5
            if -0.99 < v < 11.99 and -0.99 < u < 19.99:
                i, j = math.floor(v), math.floor(u)
                a, b = v - i, u - j
                expected = ((1 - a) * ((1 - b) * padded[i + 1, j + 1] + b * padded[i + 1, j + 2])
                            + a * ((1 - b) * padded[i + 2, j + 1] + b * padded[i + 2, j + 2]))
                np.testing.assert_allclose(result[row, column], expected, atol=0.1)
            elif not (-1.01 < v < 12.01 and -1.01 < u < 20.01):
                assert not result[row, column].any()
