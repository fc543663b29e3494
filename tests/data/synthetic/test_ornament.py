import numpy as np
import pytest

from landmark_zoo.data.synthetic.building import CROWNS
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.ornament import clock_face, crown, portal, rose_window


@pytest.fixture
def wall():
    return Canvas(20, 20, 8, np.full((160, 160, 3), 180, np.uint8))


@pytest.mark.parametrize("kind", CROWNS)
def test_a_crown_leaves_room_below(wall, building, kind):
    before = wall.pixels.copy()
    free = crown(wall, building, kind, 0.5)
    assert 10 < free < 20
    assert (wall.pixels[100:] == before[100:]).all()
    assert (wall.pixels != before).any()


def test_no_crown_leaves_everything(wall, building):
    assert crown(wall, building, "none", 0.5) == 20
    assert (wall.pixels[..., :3] == 180).all()


@pytest.mark.parametrize("draw", [clock_face, rose_window])
def test_round_things_stay_in_their_circle(wall, building, draw):
    draw(wall, building.palette, 10, 12, 3)
    rows, columns = np.nonzero((wall.pixels[..., :3] != 180).any(2))
    distance = np.hypot((columns + 0.5) / 8 - 10, (160 - rows - 0.5) / 8 - 12)
    assert 3.2 < distance.max() < 4.2
    assert wall.lights.any()


def test_a_portal_stands_on_the_ground(wall, building):
    portal(wall, building.palette, "round", 10, 5, 9)
    changed = (wall.pixels[..., :3] != 180).any(2)
    assert changed[-1].any()
    assert not changed[:80].any()
