import numpy as np
import pytest

from landmark_zoo.data.synthetic.stock import draw_stock
from landmark_zoo.data.synthetic.street import SETTINGS, draw_street


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_stands_round_about_keeps_its_distance(rng, setting):
    street = draw_street(rng, draw_stock(0), 40.0, setting)
    for panel in street.panels:
        middle = panel.corners.mean(0)
        assert np.hypot(middle[0], middle[2]) > 0.9 * 40
        assert panel.corners[:, 1].min() == pytest.approx(0)


def test_houses_turn_their_fronts_to_the_middle(rng):
    rows = [panel for panel in draw_street(rng, draw_stock(0), 40.0, "square").panels if not panel.sprite]
    assert len(rows) >= 3
    assert all(panel.normal @ panel.corners.mean(0) < 0 for panel in rows)


def test_a_square_has_more_houses_than_a_park():
    def houses(setting):
        streets = [draw_street(np.random.default_rng(seed), draw_stock(0), 40.0, setting) for seed in range(6)]
        return sum(not panel.sprite for street in streets for panel in street.panels)

    assert houses("square") > 2 * houses("park")
