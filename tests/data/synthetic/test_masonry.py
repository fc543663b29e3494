import numpy as np
import pytest

from landmark_zoo.data.synthetic.masonry import MATERIALS, cloudy, masonry, roofing


@pytest.mark.parametrize("material", MATERIALS)
def test_a_wall_keeps_its_colour(rng, material):
    tile = masonry(rng, material, (180, 120, 90), 128, 8.0)
    assert tile.shape == (128, 128, 3)
    assert np.abs(tile.reshape(-1, 3).mean(0) - (180, 120, 90)).max() < 22
    assert tile.std() > 3


def test_joints_are_darker_than_blocks(rng):
    tile = masonry(rng, "ashlar", (180, 180, 180), 128, 16.0).mean(2)
    assert tile.mean(1).min() < 0.93 * np.median(tile.mean(1))


def test_roofs_have_rows(rng):
    rows = roofing(rng, (150, 90, 70), 128, 10.0).mean((1, 2))
    assert rows.std() > 4


def test_clouds_repeat_without_a_seam(rng):
    noise = cloudy(rng, 128, 4)
    seam = np.abs(noise[:, 0] - noise[:, -1]).mean()
    inside = np.abs(noise[:, 60] - noise[:, 61]).mean()
    assert seam < 3 * inside
    assert noise.std() == pytest.approx(1, rel=1e-3)
