import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.synthetic.viewpoint import VIEWS, Bounds, draw_viewpoint

BOUNDS = Bounds(np.array((-20.0, 0.0, -15.0)), np.array((20.0, 30.0, 15.0)))


@given(st.integers(0, 10_000), st.sampled_from(VIEWS))
def test_the_camera_stands_outside_and_above_the_ground(seed, view):
    camera = draw_viewpoint(np.random.default_rng(seed), BOUNDS, 128, view)
    assert max(camera.width, camera.height) == 128
    assert min(camera.width, camera.height) >= 72
    assert camera.position[1] > 1.5
    assert np.hypot(camera.position[0], camera.position[2]) > 20
    assert np.isfinite(camera.matrix).all()


@pytest.mark.parametrize("aspect", ["landscape", "portrait"])
def test_shapes_of_pictures_vary(aspect):
    cameras = [draw_viewpoint(np.random.default_rng(seed), BOUNDS, 128, "any") for seed in range(40)]
    found = [camera.width > camera.height if aspect == "landscape" else camera.width < camera.height
             for camera in cameras]
    assert 4 < sum(found) < 36


def test_easy_views_hold_the_building_and_junk_hardly():
    def share(view):
        inside = []
        for seed in range(30):
            camera = draw_viewpoint(np.random.default_rng(seed), BOUNDS, 128, view)
            middle = camera.project(BOUNDS.middle[None])[0]
            inside.append(0 < middle[0] < camera.width and 0 < middle[1] < camera.height)
        return np.mean(inside)

    assert share("easy") == 1
    assert share("junk") < 0.8


def test_bounds_know_their_middle():
    assert BOUNDS.middle.tolist() == [0, 15, 0]
    assert BOUNDS.extent.tolist() == [40, 30, 30]
