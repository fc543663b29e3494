import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.resize_to_cover import resize_to_cover


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
