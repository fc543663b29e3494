import numpy as np
import pytest

from landmark_zoo.data.synthetic.develop import develop
from landmark_zoo.data.synthetic.light import WEATHERS, draw_light


@pytest.mark.parametrize("moment", ["day", "dusk", "night"])
@pytest.mark.parametrize("weather", WEATHERS)
def test_the_scene_stays_recognisable(moment, weather):
    scene = np.zeros((60, 80, 3), np.uint8)
    scene[:, 40:] = (190, 170, 150)
    rng = np.random.default_rng(1)
    photo = develop(scene, rng, draw_light(rng, (1.0, 1.0, 1.0), moment, weather), poor=True)
    assert photo.shape == scene.shape
    assert photo.dtype == np.uint8
    assert photo[:, 50:].mean() > photo[:, :30].mean() + 40


def test_colours_and_exposure_vary():
    scene = np.full((40, 40, 3), (160, 120, 90), np.uint8)
    light = draw_light(np.random.default_rng(0), (1.0, 1.0, 1.0), "day", "clear")
    means = np.array([develop(scene, np.random.default_rng(seed), light, False).mean((0, 1)) for seed in range(30)])
    assert means.mean(1).std() > 10
    assert (means[:, 0] - means[:, 2]).std() > 8


def test_large_pictures_get_noise_everywhere():
    light = draw_light(np.random.default_rng(0), (1.0, 1.0, 1.0), "night", "clear")
    photo = develop(np.full((500, 700, 3), 90, np.uint8), np.random.default_rng(3), light, False)
    assert photo[-50:, -50:].std() > 1
