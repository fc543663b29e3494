import io

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.analysis.colour import is_grey, is_near_grey, measure_colour


def pixels(*tones):
    return np.array([tones], np.uint8).repeat(40, axis=0).repeat(40, axis=1)


@pytest.mark.parametrize("tones", [[(0, 0, 0)], [(255, 255, 255)], [(0, 0, 0), (90, 90, 90), (255, 255, 255)]])
def test_black_and_white_is_grey(tones):
    colour = measure_colour(pixels(*tones))
    assert is_grey(colour.strongest)
    assert not is_near_grey(*colour)


def test_one_tint_is_almost_grey():
    colour = measure_colour(pixels((112, 100, 88), (122, 110, 98), (135, 123, 110)))
    assert is_near_grey(*colour)
    assert not is_grey(colour.strongest)


def test_a_photograph_in_colour_is_neither(picture):
    colour = measure_colour(np.asarray(picture(64, 64)))
    assert not is_grey(colour.strongest)
    assert not is_near_grey(*colour)


def test_the_noise_of_jpeg_does_not_make_colour(picture, encode):
    grey = picture(96, 128).convert("L").convert("RGB")
    saved = Image.open(io.BytesIO(encode(grey, quality=40)))
    assert is_grey(measure_colour(np.asarray(saved)).strongest)


def test_a_red_square_of_two_percent_is_colour():
    gray = np.full((100, 100, 3), 128, np.uint8)
    gray[:15, :15] = (255, 0, 0)
    assert not is_grey(measure_colour(gray).strongest)
