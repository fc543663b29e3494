"""A fair sample of locations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.training.sample_vectors import sample_vectors


@settings(deadline=None, max_examples=50)
@given(sizes=st.lists(st.tuples(*[st.integers(1, 4)] * 3), min_size=1, max_size=5), wanted=st.integers(1, 100),
       seed=st.integers(0, 9))
def test_draws_without_replacement(sizes, wanted, seed):
    numbers = iter(range(1000))
    maps = [np.array([[next(numbers), 7.0] for _ in range(np.prod(size))]).reshape(*size, 2) for size in sizes]
    total = sum(map(np.prod, sizes))
    vectors = sample_vectors(maps, wanted, seed)
    assert vectors.shape == (min(wanted, total), 2)
    assert len(set(vectors[:, 0])) == len(vectors)
    assert set(vectors[:, 0]) <= set(range(total))
    np.testing.assert_array_equal(vectors, sample_vectors(maps, wanted, seed))


def test_early_and_late_maps_have_the_same_chance():
    maps = [np.full((1, 10, 10, 1), number, np.float32) for number in range(10)]
    vectors = np.concatenate([sample_vectors(maps, 20, seed) for seed in range(100)])
    counts = np.bincount(vectors[:, 0].astype(int), minlength=10)
    assert counts.sum() == 2000
    assert counts.min() > 150
    assert counts.max() < 250


@pytest.mark.parametrize("maps", [[], iter(())])
def test_nothing_to_draw_from(maps):
    assert sample_vectors(maps, 5).shape == (0, 0)
