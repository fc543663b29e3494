import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.synthetic.camera import Camera


def test_target_is_in_the_middle(camera):
    x, y, depth = camera.project(np.array([[0.0, 2.0, 0.0]]))[0]
    assert (x, y, depth) == pytest.approx((59.5, 39.5, 20.0))


def test_right_is_right_and_up_is_up(camera):
    right, up = camera.project(np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 0.0]]))
    assert right[:2] == pytest.approx((64.5, 39.5))
    assert up[:2] == pytest.approx((59.5, 34.5))


def test_behind_the_eye_the_depth_is_negative(camera):
    assert camera.project(np.array([[0.0, 2.0, 30.0]]))[0, 2] == pytest.approx(-10)


@given(st.floats(-1, 1), st.floats(-40, 40), st.floats(-40, 40))
def test_target_falls_where_the_shift_says(roll, x, y):
    camera = Camera((3.0, 2.0, 20.0), (1.0, 5.0, -2.0), roll, 90.0, 120, 80, (x, y))
    assert camera.project(np.array([[1.0, 5.0, -2.0]]))[0, :2] == pytest.approx((59.5 + x, 39.5 + y), abs=1e-6)
