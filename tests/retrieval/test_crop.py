"""Cutting to a box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.crop import crop

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, [40, 60, 3], np.uint8))


def test_whole_numbers_cut_exactly():
    np.testing.assert_array_equal(crop(PICTURE, (10, 5, 30, 25), "q"), np.asarray(PICTURE)[5:25, 10:30])


def test_halves_go_to_the_even_pixel():
    assert crop(PICTURE, (0.5, 1.5, 10.5, 11.5), "q").size == (10, 10)
    np.testing.assert_array_equal(crop(PICTURE, (0.5, 1.5, 10.5, 11.5), "q"), np.asarray(PICTURE)[2:12, 0:10])


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 29), st.floats(0, 19), st.floats(1, 30), st.floats(1, 20))
def test_equals_pillow_on_floats(x, y, width, height):
    box = (x, y, x + width, y + height)
    np.testing.assert_array_equal(crop(PICTURE, box, "q"), PICTURE.crop(box))


@pytest.mark.parametrize("box", [(0, 0, 61, 40), (0, 0, 60, 40.6), (10.1, 10, 10.2, 20), (20, 5, 10, 10)])
def test_boxes_that_cannot_be_cut(box):
    with pytest.raises(UserError, match="q7"):
        crop(PICTURE, box, "q7")
