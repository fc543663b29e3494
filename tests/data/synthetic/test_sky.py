from dataclasses import replace

import numpy as np
import pytest

from landmark_zoo.data.synthetic.light import draw_light
from landmark_zoo.data.synthetic.sky import draw_hills, paint_sky

NONE = np.zeros((2, 720))


def paint(camera, moment, seed=0, hills=NONE, weather="clear"):
    rng = np.random.default_rng(seed)
    return paint_sky(camera, draw_light(rng, (1.0, 1.0, 1.0), moment, weather), rng, hills)


def test_night_is_darker_than_day(camera):
    day, night = paint(camera, "day"), paint(camera, "night")
    assert day.shape == (80, 120, 3)
    assert day.dtype == np.uint8
    assert night.mean() < 0.5 * day.mean()


def test_clouds_differ_from_picture_to_picture(camera):
    first, second = (paint(camera, "day", seed, weather="cloudy").astype(int) for seed in (1, 2))
    assert np.abs(first - second).mean() > 2


@pytest.mark.parametrize("kind", ["hills", "mountains", "town"])
def test_hills_rise_above_the_horizon(camera, rng, kind):
    hills = draw_hills(rng, kind)
    assert hills.shape == (2, 720)
    assert hills.max() > 0.02
    with_hills, without = paint(camera, "day", hills=hills), paint(camera, "day")
    changed = (with_hills != without).any(2)
    assert changed[39].mean() > 0.9
    assert not changed[0].any()


def test_there_may_be_no_hills(rng):
    assert not draw_hills(rng, "none").any()


def test_a_tilted_camera_sees_a_tilted_horizon(camera, rng):
    hills = np.full((2, 720), 0.01)
    tilted = replace(camera, roll=0.3)
    changed = (paint(tilted, "day", hills=hills) != paint(tilted, "day")).any(2)
    first = [int(np.argmax(changed[:, column])) for column in (5, 115)]
    assert abs(first[0] - first[1]) > 20
