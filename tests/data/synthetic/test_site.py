import numpy as np
import pytest

from landmark_zoo.data.synthetic.site import draw_site


def test_equal_arguments_give_equal_sites():
    first, second = (draw_site(0, 4, 96, "arch") for _ in range(2))
    assert first.building == second.building
    assert all((a.texture.pixels == b.texture.pixels).all() for a, b in zip(first.panels, second.panels, strict=True))
    assert (first.street.ground.map == second.street.ground.map).all()
    assert draw_site(0, 5, 96, "arch").building != first.building
    assert draw_site(1, 4, 96, "arch").building != first.building


def test_the_landmark_stands_in_the_middle_of_its_bounds(site):
    corners = np.concatenate([panel.corners for panel in site.panels])
    assert corners.min(0) == pytest.approx(site.bounds.low)
    assert corners.max(0) == pytest.approx(site.bounds.high)
    assert site.bounds.middle[[0, 2]] == pytest.approx((0, 0))
    assert site.street.radius > np.hypot(*site.bounds.extent[[0, 2]]) / 2


def test_a_street_has_no_landmark():
    street = draw_site(0, 9, 96, None)
    assert street.building is None
    assert street.panels == []
    assert street.street.panels
