"""Precision at k with both divisors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.precision_at_k import DIVISORS, precision_at_k

RANKS = st.sets(st.integers(0, 30), max_size=10).map(sorted)


def revisitop(ranks, k):
    """The line of revisitop's compute_map, with its 1-based positions."""
    positions = np.asarray(ranks) + 1
    kq = min(max(positions), k)
    return (positions <= kq).sum() / kq


@pytest.mark.parametrize(("ranks", "k", "expected"), [
    ([0, 7], 10, 0.25), ([0, 2, 7], 1, 1.0), ([0, 2, 7], 5, 0.4), ([0, 2, 7], 10, 0.375), ([0, 3], 1, 1.0),
    ([0, 3], 5, 0.5),
])
def test_published_vectors_of_the_revisited_rule(ranks, k, expected):
    assert precision_at_k(ranks, len(ranks), k, "last_positive") == pytest.approx(expected)


@pytest.mark.parametrize(("ranks", "positives", "k", "expected"), [
    ([0, 1], 2, 10, 1.0), ([0, 9], 2, 10, 1.0), ([0, 10], 2, 10, 0.5), ([0, 1, 2], 30, 10, 0.3), ([1], 5, 1, 0.0),
])
def test_divisor_positives(ranks, positives, k, expected):
    assert precision_at_k(ranks, positives, k, "positives") == pytest.approx(expected)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_nothing_found_is_0_and_no_positives_is_nan(divisor):
    assert precision_at_k([], 3, 5, divisor) == 0.0
    assert math.isnan(precision_at_k([], 0, 5, divisor))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="received 'k'"):
        precision_at_k([0], 1, 1, "k")
    with pytest.raises(ValueError, match="received 0"):
        precision_at_k([0], 1, 0, "positives")


@given(RANKS.filter(bool), st.integers(1, 20))
def test_equals_revisitop(ranks, k):
    assert precision_at_k(ranks, len(ranks), k, "last_positive") == pytest.approx(revisitop(ranks, k))


@given(RANKS, st.integers(0, 4), st.integers(1, 20), st.sampled_from(DIVISORS))
def test_lies_between_0_and_1(ranks, missing, k, divisor):
    if len(ranks) + missing:
        assert 0 <= precision_at_k(ranks, len(ranks) + missing, k, divisor) <= 1


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(DIVISORS))
def test_perfect_ranking_is_1(positives, k, divisor):
    assert precision_at_k(range(positives), positives, k, divisor) == 1
