import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.synthetic.scene import VIEWS, View, draw_camera, draw_light, draw_occluders, draw_scene, draw_view

LOW, HIGH = np.array((-20.0, 0.0, -15.0)), np.array((20.0, 30.0, 15.0))


def area(view):
    x1, y1, x2, y2 = view.box or (0, 0, 0, 0)
    return (x2 - x1) * (y2 - y1)


def test_an_image_depends_on_its_arguments_alone(scene):
    first, again, other = draw_view(scene, 3), draw_view(draw_scene(0, 0, 96), 3), draw_view(scene, 4)
    assert (first.image == again.image).all()
    assert (first.box, first.quality) == (again.box, again.quality)
    assert first.image.shape != other.image.shape or (first.image != other.image).any()


@pytest.mark.parametrize("kind", VIEWS)
def test_boxes_lie_in_the_image(scene, kind):
    for number in range(6):
        view = draw_view(scene, number, kind)
        height, width = view.image.shape[:2]
        assert view.image.dtype == np.uint8
        assert max(height, width) == 96
        assert 0 <= view.visible <= 1
        assert 40 < view.quality < 100
        if view.box:
            x1, y1, x2, y2 = view.box
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height


def test_easy_views_show_the_landmark_and_junk_hardly(scene):
    easy, junk = ([draw_view(scene, number, kind) for number in range(8)] for kind in ("easy", "junk"))
    assert all(view.box and view.visible > 0.5 and view.moment == "day" for view in easy)
    assert np.median([area(view) for view in junk]) < 0.2 * np.median([area(view) for view in easy])


def test_two_views_share_the_landmark_and_differ(scene):
    views = [draw_view(scene, number, "easy") for number in range(4)]
    assert np.std([view.turn for view in views]) > 0.05
    assert len({round(float(view.image.mean())) for view in views}) > 1


def test_a_street_shows_no_landmark():
    view = draw_view(draw_scene(0, 9, 96, landmark=False), 0)
    assert view.box is None
    assert view.visible == 0
    assert view.grade == "junk"


def test_grades():
    def grade(box, visible, turn, moment):
        return View(np.zeros((100, 100, 3), np.uint8), box, visible, turn, moment, 90).grade

    wide, tiny = (10.0, 10.0, 80.0, 80.0), (10.0, 10.0, 20.0, 20.0)
    assert grade(wide, 0.9, 0.2, "day") == "easy"
    assert grade(wide, 0.9, 0.2, "night") == "hard"
    assert grade(wide, 0.9, 1.2, "day") == "hard"
    assert grade(wide, 0.4, 0.2, "day") == "hard"
    assert grade(wide, 0.1, 0.2, "day") == "junk"
    assert grade(tiny, 0.9, 0.2, "day") == "junk"
    assert grade(None, 0.0, 0.2, "day") == "junk"


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(VIEWS))
def test_the_camera_stands_outside_and_above_the_ground(seed, kind):
    camera = draw_camera(np.random.default_rng(seed), LOW, HIGH, 128, kind)
    assert max(camera.width, camera.height) == 128
    assert min(camera.width, camera.height) >= 72
    assert camera.position[1] > 1.5
    assert np.hypot(camera.position[0], camera.position[2]) > 15
    assert np.isfinite(camera.rays).all()


def test_shapes_of_images_vary():
    cameras = [draw_camera(np.random.default_rng(seed), LOW, HIGH, 128, "any") for seed in range(40)]
    assert 4 < sum(camera.width > camera.height for camera in cameras) < 36
    assert 4 < sum(camera.width < camera.height for camera in cameras) < 36


def test_most_images_are_taken_by_day():
    moments = [draw_light(np.random.default_rng(seed)).moment for seed in range(200)]
    assert 0.6 < moments.count("day") / 200 < 0.85
    assert {"dusk", "night"} <= set(moments)


def test_more_occluders_where_more_are_wanted(rng):
    camera = draw_camera(rng, LOW, HIGH, 128, "any")
    few, many = (np.mean([len(draw_occluders(rng, camera, 60.0, amount)) for _ in range(20)]) for amount in (0.0, 1.0))
    assert many > 2 * few
    quads = [quad for _ in range(20) for quad in draw_occluders(rng, camera, 60.0, 1.0)]
    assert all(abs(quad.corners[:, 1].min()) < 1e-9 for quad in quads)
