"""The bootstrap interval over queries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.metrics.bootstrap import bootstrap_interval


def test_same_seed_same_interval():
    values = np.linspace(0, 1, 30) ** 2
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_width_is_that_of_the_normal_approximation():
    values = np.random.default_rng(0).uniform(size=400)
    mean, low, high = bootstrap_interval(values)
    expected = 1.96 * values.std() / math.sqrt(400)
    assert (high - mean, mean - low) == pytest.approx((expected, expected), rel=0.1)


def test_queries_without_a_value_are_left_out():
    assert bootstrap_interval([math.nan, 0.2, 0.4, math.nan]) == bootstrap_interval([0.2, 0.4])
    assert bootstrap_interval([math.nan, 0.708333])[0] == 0.708333


def test_no_query_gives_nan():
    assert all(math.isnan(number) for number in bootstrap_interval([math.nan]))


@pytest.mark.parametrize("wrong", [{"resamples": 10}, {"level": 95}])
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        bootstrap_interval([0.5], **wrong)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_interval_holds_the_mean_and_stays_within_the_values(values):
    mean, low, high = bootstrap_interval(values, resamples=1000)
    assert min(values) - 1e-9 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= max(values) + 1e-9
