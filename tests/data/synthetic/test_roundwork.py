from dataclasses import replace

import numpy as np
import pytest

from landmark_zoo.data.synthetic.building import DOMES, SPIRES
from landmark_zoo.data.synthetic.facade import Facade
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.roundwork import column, dome, flag, round_tower, spire


def test_a_tower_stands_where_it_is_told(building):
    tower = round_tower(Mason(building, 200), 3, -4, 2, 1, 12, Facade(storeys=3, bays=3))
    assert tower.corners.mean(0)[[0, 2]] == pytest.approx((3, -4))
    assert tower.corners[:, 1].min() == pytest.approx(1)
    assert tower.corners[:, 1].max() == pytest.approx(13)


@pytest.mark.parametrize("shape", DOMES)
def test_domes_carry_a_lantern(building, shape):
    body, lantern = dome(Mason(building, 200), 0, 0, 5, 10, 6, shape=shape)
    assert lantern.corners[:, 1].max() > body.corners[:, 1].max()


@pytest.mark.parametrize("shape", SPIRES)
def test_spires_are_the_buildings(building, shape):
    panels = spire(Mason(replace(building, spire=shape), 200), 0, 0, 3, 10, 15)
    assert len(panels) == (0 if shape == "flat" else 2)


def test_columns_and_flags_stand_upright(building):
    mason = Mason(building, 300)
    assert column(mason, 1, 9).corners[:, 1].max() == pytest.approx(9)
    assert (flag(mason, 0, 0, 5, 8).texture.pixels[..., 3] > 127).any()
    assert np.ptp(flag(mason, 0, 0, 5, 8).corners[:, 1]) == pytest.approx(8)
