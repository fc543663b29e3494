import numpy as np
import pytest

from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason


@pytest.fixture
def mason(building):
    return Mason(building, 300)


def test_the_greatest_extent_takes_the_pixels(mason, building):
    assert mason.plain(building.size, building.size / 3).pixels.shape[:2] == (100, 300)


def test_equal_walls_are_drawn_once(mason):
    facade = Facade(storeys=2, bays=3)
    assert mason.wall(facade, 20, 10) is mason.wall(facade, 20, 10)
    assert mason.wall(facade, 20, 11) is not mason.wall(facade, 20, 10)


@pytest.mark.parametrize(("low", "high"), [(30, 10), (10, 30), (30, 0)])
def test_trapezia_narrow(mason, low, high):
    covered = mason.trapezium(low, high, 20).pixels[..., 3] > 127
    assert covered[-1].mean() == pytest.approx(low / 30, abs=0.06)
    assert covered[0].mean() == pytest.approx(high / 30, abs=0.06)


def test_roofs_and_walls_have_their_own_colour(mason, building):
    wall = mason.canvas(10, 10, building.palette.wall).pixels[..., :3].reshape(-1, 3).mean(0)
    roof = mason.canvas(10, 10, building.palette.roof, roof=True).pixels[..., :3].reshape(-1, 3).mean(0)
    assert np.abs(wall - building.palette.wall).max() < 25
    assert np.abs(roof - building.palette.roof).max() < 30
