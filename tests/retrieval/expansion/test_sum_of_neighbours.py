"""Weighted sums."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.expansion import sum_of_neighbours as module
from landmark_zoo.retrieval.expansion.sum_of_neighbours import sum_of_neighbours


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_against_loops(count, k, seed):
    random = np.random.default_rng(seed)
    vectors, index = random.normal(size=[count, 3]).astype(np.float32), random.normal(size=[6, 3]).astype(np.float32)
    rows, weights = random.integers(6, size=[count, k]), random.normal(size=[count, k])
    expected = vectors.copy()
    for i in range(count):
        for j in range(k):
            expected[i] += weights[i, j] * index[rows[i, j]]
    np.testing.assert_allclose(sum_of_neighbours(vectors, index, rows, weights), expected, atol=1e-5)


def test_blocks_give_the_same_and_nothing_is_written_back(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=[10, 3]).astype(np.float32)
    rows, weights, before = np.roll(np.arange(10), 1)[:, np.newaxis], np.ones((10, 1)), vectors.copy()
    whole = sum_of_neighbours(vectors, vectors, rows, weights)
    monkeypatch.setattr(module, "BLOCK", 3)
    np.testing.assert_array_equal(sum_of_neighbours(vectors, vectors, rows, weights), whole)
    np.testing.assert_array_equal(vectors, before)
    np.testing.assert_allclose(whole, before + before[rows[:, 0]], atol=1e-6)
