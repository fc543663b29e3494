import numpy as np
import pytest

from landmark_zoo.data.synthetic.texture import Texture


def test_levels_halve():
    texture = Texture(np.full((16, 32, 4), 255, np.uint8))
    assert [texture.level("day", k).shape[:2] for k in range(3)] == [(16, 32), (8, 16), (4, 8)]
    assert texture.level("day", 99).shape[:2] == (1, 2)


def test_lights_shine_at_night_alone():
    pixels = np.full((8, 8, 4), 60, np.uint8)
    pixels[..., 3] = 255
    lights = np.zeros((8, 8), np.uint8)
    lights[:, 4:] = 255
    texture = Texture(pixels, lights)
    day, night = texture.level("day", 0), texture.level("night", 0)
    assert (day[..., :3] == 60).all()
    assert night[:, 4:, 0].min() > 150
    assert night[:, :4, 0].max() <= 60


def test_holes_take_the_colour_of_what_is_there():
    pixels = np.zeros((10, 10, 4), np.uint8)
    pixels[:, :5] = (200, 100, 50, 255)
    texture = Texture(pixels)
    assert texture.level("day", 0)[0, 9, :3].tolist() == [200, 100, 50]
    assert texture.level("day", 0)[0, 9, 3] == 0


@pytest.mark.parametrize("pixels", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 4), np.float32)])
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ValueError, match="expected uint8 pixels"):
        Texture(pixels)
