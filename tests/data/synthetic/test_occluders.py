import numpy as np

from landmark_zoo.data.synthetic.occluders import draw_occluders
from landmark_zoo.data.synthetic.stock import draw_stock


def test_they_stand_between_camera_and_target(camera):
    for seed in range(10):
        for panel in draw_occluders(np.random.default_rng(seed), draw_stock(0), camera, 0.6):
            assert 0 < panel.corners.mean(0)[2] < 20
            assert panel.sprite


def test_more_is_more(camera):
    few, many = (sum(len(draw_occluders(np.random.default_rng(seed), draw_stock(0), camera, amount))
                     for seed in range(10)) for amount in (0.0, 1.0))
    assert many > 2 * few
