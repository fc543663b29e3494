import numpy as np
import pytest

from landmark_zoo.data.synthetic.vehicles import draw_bus, draw_car, draw_lamp, draw_parasol


@pytest.mark.parametrize("draw", [draw_bus, draw_car, draw_lamp, draw_parasol])
def test_things_touch_the_ground_and_differ(draw):
    drawn = [draw(np.random.default_rng(seed)) for seed in range(8)]
    assert all((thing.pixels[-4:, :, 3] > 127).any() for thing in drawn)
    assert len({thing.pixels.tobytes() for thing in drawn}) > 1


@pytest.mark.parametrize("draw", [draw_bus, draw_car, draw_lamp])
def test_they_shine_at_night(draw, rng):
    thing = draw(rng)
    shining = thing.lights > 100
    assert shining.any()
    assert thing.level("night", 0)[shining, :3].mean() > 1.4 * thing.level("night", 0)[~shining, :3].mean()
