import numpy as np
import pytest

from landmark_zoo.data.synthetic.plants import TREES, draw_tree


@pytest.mark.parametrize("kind", TREES)
def test_trees_stand_on_the_ground_and_fill_their_height(kind):
    covered = draw_tree(np.random.default_rng(2), kind).pixels[..., 3] > 127
    rows = np.flatnonzero(covered.any(1))
    assert rows[-1] >= covered.shape[0] - 4
    assert rows[0] < 0.35 * covered.shape[0]
    assert 0.03 < covered.mean() < 0.75


def test_no_two_trees_are_the_same():
    first, second = (draw_tree(np.random.default_rng(seed), "broad").pixels for seed in (1, 2))
    assert (first != second).any()
