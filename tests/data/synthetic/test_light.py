import numpy as np
import pytest

from landmark_zoo.data.synthetic.light import MOMENTS, WEATHERS, draw_light

LAMPS = (1.0, 0.9, 0.7)


def test_what_faces_the_sun_is_brighter(rng):
    light = draw_light(rng, LAMPS, "day", "clear")
    sun = np.array(light.sun)
    assert np.linalg.norm(sun) == pytest.approx(1)
    facing, turned, round_thing = (np.mean(light.gain(normal, True)) for normal in (sun, -sun, None))
    assert facing > round_thing > turned > 0.2


def test_at_night_only_the_landmark_is_lit():
    lights = [draw_light(np.random.default_rng(seed), LAMPS, "night") for seed in range(40)]
    lit = [light for light in lights if light.floodlight]
    assert 20 < len(lit) < 40
    front = np.array((0.0, 0.0, 1.0))
    assert all(np.mean(light.gain(front, True)) > 1.5 * np.mean(light.gain(front, False)) for light in lit)


def test_all_times_and_weathers_come_up():
    lights = [draw_light(np.random.default_rng(seed), LAMPS) for seed in range(300)]
    assert {light.moment for light in lights} == set(MOMENTS)
    assert {light.weather for light in lights} == set(WEATHERS)
    assert sum(light.moment == "day" for light in lights) > 150
    assert all(0 <= value <= 255 for light in lights for value in (*light.zenith, *light.horizon))
