import numpy as np

from landmark_zoo.data.synthetic.palette import draw_palette, jitter, mix


def test_mix_goes_from_one_colour_to_the_other():
    assert mix((0, 100, 200), (100, 0, 200), 0.0) == (0, 100, 200)
    assert mix((0, 100, 200), (100, 0, 200), 0.5) == (50, 50, 200)
    assert mix((0, 100, 200), (100, 0, 200), 1.0) == (100, 0, 200)


def test_jitter_stays_a_colour(rng):
    colours = np.array([jitter((250, 5, 128), rng, 40) for _ in range(50)])
    assert colours.min() >= 0
    assert colours.max() <= 255
    assert colours.std(0).min() > 1


def test_buildings_share_walls_and_differ():
    walls = [draw_palette(np.random.default_rng(seed)).wall for seed in range(60)]
    distance = np.abs(np.array(walls)[:, None] - np.array(walls)[None]).sum(2) + 999 * np.eye(60)
    assert len(set(walls)) == 60
    assert (distance.min(1) < 40).mean() > 0.8
