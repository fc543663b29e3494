import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.warp import warp

IMAGE = np.random.default_rng(0).uniform(0, 255, (12, 20, 3)).astype(np.float32)
ONE = tf.ones([2])


@pytest.mark.parametrize("begin", [(0, 0), (2, 5), (7, 12)])
def test_without_a_turn_it_is_a_cut(begin):
    cut = warp(IMAGE, (5, 8), tf.constant(begin, tf.float32), ONE, 0.0)
    np.testing.assert_allclose(cut, IMAGE[begin[0]:begin[0] + 5, begin[1]:begin[1] + 8], atol=1e-3)
    assert cut.shape == (5, 8, 3)


def test_quarter_turns_are_counterclockwise_about_the_centre():
    square = IMAGE[:, 4:16]
    for quarters in range(1, 4):
        turned = warp(square, (12, 12), tf.zeros([2]), ONE, quarters * math.pi / 2)
        np.testing.assert_allclose(turned[1:-1, 1:-1], np.rot90(square, quarters)[1:-1, 1:-1], atol=0.05)


def test_a_half_turn_of_a_cut_is_the_opposite_cut():
    turned = warp(IMAGE, (4, 6), tf.constant([1.0, 2.0]), ONE, math.pi)
    np.testing.assert_allclose(turned, IMAGE[::-1, ::-1][1:5, 2:8], atol=0.05)


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
