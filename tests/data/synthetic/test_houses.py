import numpy as np
import pytest

from landmark_zoo.data.synthetic.houses import draw_house, terrace


def test_houses_differ_and_stand_on_the_ground():
    houses = [draw_house(np.random.default_rng(seed)) for seed in range(5)]
    assert all((house.pixels[-1, :, 3] == 255).all() for house in houses)
    assert all(8 <= house.width <= 18 for house in houses)
    assert len({house.pixels.shape for house in houses}) > 1


def test_a_terrace_is_as_long_as_its_houses(rng):
    houses = [draw_house(rng) for _ in range(3)]
    row = terrace(houses, np.array([0, 2, 0]))
    assert row.width == pytest.approx(2 * houses[0].width + houses[2].width)
    assert row.height == max(houses[0].height, houses[2].height)
    assert (row.pixels[-1, :, 3] == 255).mean() > 0.98
