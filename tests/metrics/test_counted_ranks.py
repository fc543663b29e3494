"""Ranks by counting equal the places in a stable sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.metrics import counted_ranks as module
from landmark_zoo.metrics.counted_ranks import counted_ranks

FLOATS = st.floats(-4, 4, width=32)


def sorted_places(scores, rows):
    return np.argsort(np.argsort(-scores, kind="stable"), kind="stable")[rows]


@settings(deadline=None)
@given(st.lists(st.one_of(FLOATS, st.sampled_from([0.0, 0.5, -0.0, 1.0])), min_size=1, max_size=60), st.data())
def test_equal_the_sorted_places_also_with_ties_and_across_blocks(values, data):
    scores = np.array(values, np.float32)
    rows = data.draw(st.lists(st.integers(0, len(scores) - 1), max_size=20))
    block, module._BLOCK = module._BLOCK, data.draw(st.sampled_from([7, 64]))
    try:
        np.testing.assert_array_equal(counted_ranks(scores, rows), sorted_places(scores, rows))
    finally:
        module._BLOCK = block


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [3, 16])
def test_a_hundred_thousand_scores(dtype, decimals):
    random = np.random.default_rng(0)
    scores = np.round(0.9 + 0.05 * random.normal(size=100_000), decimals).astype(dtype)
    rows = random.choice(len(scores), 500, replace=False)
    np.testing.assert_array_equal(counted_ranks(scores, rows), sorted_places(scores, rows))


def test_equal_scores_stand_in_the_order_of_the_index():
    assert counted_ranks(np.full(5, 0.25), [4, 0, 2]).tolist() == [4, 0, 2]


def test_far_larger_and_smaller_scores_do_not_disturb():
    scores = np.array([1e30, 0.5, -1e30, np.inf, 0.5000001, -np.inf], np.float32)
    np.testing.assert_array_equal(counted_ranks(scores, [1, 4]), sorted_places(scores, [1, 4]))


def test_nothing_asked_for():
    assert counted_ranks(np.zeros(3), []).tolist() == []


@pytest.mark.parametrize(("scores", "rows", "said"), [
    ([0.1, np.nan], [0], "received NaN"), ([0.1], [1], "rows from 1 to 1"), ([0.1], [-1], "rows from -1"),
    ([[0.1]], [0], r"shape \(1, 1\)")])
def test_bad_input_is_refused(scores, rows, said):
    with pytest.raises(ValueError, match=said):
        counted_ranks(np.array(scores), rows)
