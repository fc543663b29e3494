"""Every kind of building, by the table."""

import numpy as np
import pytest

from landmark_zoo.data.synthetic.building import draw_building
from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.frame import Frame
from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.plans import PLANS


def raise_building(plan, seed):
    build, size = PLANS[plan]
    building = draw_building(np.random.default_rng(seed), plan, size)
    return building, build(Mason(building, 160))


def silhouette(panels, turn):
    corners = np.concatenate([panel.corners for panel in panels])
    low, high = corners.min(0), corners.max(0)
    middle, span = (low + high) / 2, float((high - low).max())
    eye = middle + 2.2 * span * np.array((np.sin(turn), 0.0, np.cos(turn)))
    camera = Camera((eye[0], 0.3 * high[1], eye[2]), tuple(middle), 0.0, 100.0, 96, 96)
    frame = Frame(camera, np.zeros((96, 96, 3), np.uint8))
    for panel in panels:
        frame.draw(panel, (1.0, 1.0, 1.0), "day", 1)
    return frame.owner == 1


@pytest.mark.parametrize("plan", PLANS)
def test_buildings_stand_on_the_ground_and_have_their_size(plan):
    for seed in range(3):
        building, panels = raise_building(plan, seed)
        corners = np.concatenate([panel.corners for panel in panels])
        assert np.isfinite(corners).all()
        assert -2.0 < corners[:, 1].min() < 0.01 * building.size
        assert 0.5 < (corners.max(0) - corners.min(0)).max() / building.size < 1.6


@pytest.mark.parametrize("plan", PLANS)
def test_buildings_show_from_every_side(plan):
    _, panels = raise_building(plan, 1)
    for turn in (0.0, 0.8, -0.8, 3.0):
        assert silhouette(panels, turn).mean() > (0.004 if plan in ("wheel", "bridge") else 0.01)


def test_kinds_differ_in_their_silhouette():
    shapes = [silhouette(raise_building(plan, 2)[1], 0.2) for plan in PLANS]
    likeness = [(a & b).sum() / (a | b).sum() for i, a in enumerate(shapes) for b in shapes[:i]]
    assert np.mean(likeness) < 0.5
    assert max(likeness) < 0.9


@pytest.mark.parametrize("plan", PLANS)
def test_two_buildings_of_a_kind_differ(plan):
    first, second = (silhouette(raise_building(plan, seed)[1], 0.2) for seed in (11, 12))
    assert (first != second).mean() > 0.002
