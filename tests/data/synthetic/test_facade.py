from dataclasses import replace

import numpy as np

from landmark_zoo.data.synthetic.facade import Facade, draw_facade


def draw(building, facade, seed=0):
    paint = np.full((400, 400, 3), 180, np.uint8)
    return draw_facade(building, facade, 30, 20, 8.0, paint, np.random.default_rng(seed))


def test_a_blind_wall_has_no_lights(building):
    assert not draw(building, Facade(crown="none", dressed=False)).lights.any()


def test_more_windows_more_lights(building):
    few, many = (draw(building, Facade(storeys=s, bays=b)).lights > 10 for s, b in ((1, 2), (4, 9)))
    assert few.sum() > 0
    assert many.any(0).mean() > few.any(0).mean()


def test_windows_stand_in_a_grid(building):
    plain = replace(building, shutters=False, hood="none")
    lit = draw(plain, Facade(storeys=2, bays=3, crown="none", dressed=False)).lights > 0
    assert (np.diff(lit.any(0).astype(int)) == 1).sum() >= 3


def test_battlements_are_cut_out_of_the_top(building):
    wall = draw(building, Facade(crown="battlements"))
    assert 0.2 < (wall.pixels[0, :, 3] > 127).mean() < 0.8
    assert (wall.pixels[60:, :, 3] == 255).all()


def test_a_door_stands_in_the_middle(building):
    bare, door = (draw(building, Facade(portals=number, crown="none", dressed=False)) for number in (0, 1))
    changed = (bare.pixels != door.pixels).any(2)
    columns = np.flatnonzero(changed.any(0))
    assert abs((columns[0] + columns[-1]) / 2 - changed.shape[1] / 2) < 4
    assert changed[-1].any()
