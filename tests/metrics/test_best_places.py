"""The first places of a ranking."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.best_places import best_places


@given(st.integers(0, 3000), st.integers(1, 30), st.integers(0, 3), st.integers(0, 99))
def test_equal_the_start_of_a_stable_sort(count, k, decimals, seed):
    scores = np.round(np.random.default_rng(seed).normal(size=count), decimals).astype(np.float32)
    np.testing.assert_array_equal(best_places(scores, k), np.argsort(-scores, kind="stable")[:k])


def test_a_long_index():
    scores = np.random.default_rng(0).normal(size=100_001).astype(np.float32)
    np.testing.assert_array_equal(best_places(scores, 100), np.argsort(-scores, kind="stable")[:100])
