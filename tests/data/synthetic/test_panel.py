import numpy as np
import pytest

from landmark_zoo.data.synthetic.panel import Panel, sprite
from landmark_zoo.data.synthetic.texture import Texture

TEXTURE = Texture(np.full((8, 8, 4), 255, np.uint8))
FRONT = Panel(TEXTURE, (-1, 2, 5), (2, 0, 0), (0, -2, 0))


def test_front_looks_out_of_the_building():
    assert FRONT.normal == pytest.approx((0, 0, 1))


def test_a_quarter_turn_takes_front_to_right():
    turned = FRONT.rotated(np.pi / 2)
    assert turned.normal == pytest.approx((1, 0, 0))
    assert turned.corners[:, 0] == pytest.approx([5] * 4)


def test_moved_and_raised():
    assert FRONT.moved(3, -2).raised(4).origin == (2, 6, 3)


def test_outside_is_unseen_from_behind(camera):
    assert not FRONT.hidden_from(camera)
    assert FRONT.rotated(np.pi).hidden_from(camera)


def test_sprites_turn_to_the_camera(camera):
    tree = sprite(TEXTURE, 12, 8, 0, 4, 6, 0)
    across, down, origin = tree.placed(camera).T
    middle = origin + across / 2
    assert middle == pytest.approx((12, 6, 8))
    assert across @ (middle - camera.position) == pytest.approx(0)
    assert np.linalg.norm(across) == pytest.approx(4)
    assert down == pytest.approx((0, -6, 0))
