import numpy as np

from landmark_zoo.data.synthetic.building import CROWNS, DOMES, SPIRES, draw_building


def test_equal_chance_gives_equal_buildings():
    first, second = (draw_building(np.random.default_rng(4), "castle", (50, 90)) for _ in range(2))
    assert first == second
    assert first != draw_building(np.random.default_rng(5), "castle", (50, 90))


def test_every_choice_comes_up():
    drawn = [draw_building(np.random.default_rng(seed), "castle", (50, 90)) for seed in range(120)]
    assert {building.crown for building in drawn} == set(CROWNS)
    assert {building.dome for building in drawn} == set(DOMES)
    assert {building.spire for building in drawn} == set(SPIRES)
    assert {building.towers for building in drawn} == {1, 2, 3, 4}
    assert all(50 <= building.size <= 90 and building.bays % 2 for building in drawn)
