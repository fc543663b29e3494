import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.photograph import read_photograph
from landmark_zoo.data.resize import resize, resize_long_side, resize_square


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


def test_batches_are_resized_picture_by_picture():
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
def test_long_side_rounds_as_the_records_do(picture, encode, height, width, side):
    resized = resize_long_side(tf.zeros([height, width, 1]), side).shape
    if side < max(height, width):
        stored = read_photograph(encode(picture(height, width)), max_side=side)
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
