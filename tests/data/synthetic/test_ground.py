import numpy as np
import pytest

from landmark_zoo.data.synthetic.frame import Frame
from landmark_zoo.data.synthetic.ground import GROUNDS, draw_ground, lay_ground
from landmark_zoo.data.synthetic.light import draw_light
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.texture import Texture


def lay(camera, ground, weather="clear", casters=(), seed=3):
    frame = Frame(camera, np.zeros((camera.height, camera.width, 3), np.uint8))
    light = draw_light(np.random.default_rng(seed), (1.0, 1.0, 1.0), "day", weather)
    lay_ground(frame, camera, ground, light, list(casters))
    return frame


@pytest.mark.parametrize("kind", GROUNDS)
def test_the_ground_ends_at_the_horizon(camera, rng, kind):
    frame = lay(camera, draw_ground(rng, kind, 60.0))
    assert not frame.nearness[:39].any()
    assert (frame.nearness[42:] > 0).all()
    assert 1 / frame.nearness[79, 60] == pytest.approx(2 / 0.395, rel=0.01)
    assert not frame.owner.any()


def test_snow_whitens(camera, rng):
    ground = draw_ground(rng, "lawn", 60.0)
    bare, white = (lay(camera, ground, weather).colour[50:, :, :3].astype(int) for weather in ("cloudy", "snow"))
    assert np.ptp(white, axis=2).mean() < 0.5 * np.ptp(bare, axis=2).mean()


def test_walls_throw_shadows(camera, rng):
    ground = draw_ground(rng, "asphalt", 60.0)
    wall = Panel(Texture(np.full((4, 4, 4), 255, np.uint8)), (-8, 8, 8), (16, 0, 0), (0, -8, 0))
    lit, shaded = lay(camera, ground).colour[41:], lay(camera, ground, casters=[wall]).colour[41:]
    darker = (shaded.astype(int).sum(2) < lit.astype(int).sum(2) - 12).mean()
    assert 0.01 < darker < 0.95
