"""Average precision against published vectors, a naive loop, scikit-learn and its own laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from landmark_zoo.metrics.average_precision import CONVENTIONS, average_precision
from landmark_zoo.metrics.ranks import positive_ranks

VECTORS = [  # ranks, positives, trapezoid (by revisitop's own code), finite sum
    ([0], 1, 1.0, 1.0),
    ([1], 1, 0.25, 0.5),
    ([0, 2], 2, 0.791667, 0.833333),
    ([0, 2, 5], 3, 0.677778, 0.722222),
    ([0, 2, 5], 5, 0.406667, 0.433333),
    ([9], 1, 0.05, 0.1),
    ([3, 4, 5], 3, 0.3, 0.383333),
    ([0, 2], 3, 0.527778, 0.555556),
    ([0, 7], 2, 0.598214, 0.625),
    ([], 4, 0.0, 0.0),
]
RANKS = st.sets(st.integers(0, 40), max_size=12).map(sorted)


def naive_trapezoid(relevant, positives):
    """VGG's compute_ap: walks down the list and adds trapezoids."""
    hits, area, old_recall, old_precision = 0, 0.0, 0.0, 1.0
    for place, is_hit in enumerate(relevant):
        hits += is_hit
        recall, precision = hits / positives, hits / (place + 1)
        area += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return area


@pytest.mark.parametrize(("ranks", "positives", "trapezoid", "finite"), VECTORS)
def test_published_vectors(ranks, positives, trapezoid, finite):
    assert average_precision(ranks, positives, "trapezoid") == pytest.approx(trapezoid, abs=1e-6)
    assert average_precision(ranks, positives, "finite_sum") == pytest.approx(finite, abs=1e-6)


def test_revisited_vector_with_junk():
    ranks = positive_ranks([3, 0, 4, 1, 2], positives=[0, 2], junk=[3])
    assert average_precision(ranks, 2, "trapezoid") == pytest.approx(0.708333, abs=1e-6)


def test_junk_first_then_the_positive_is_perfect():
    assert average_precision(positive_ranks([5, 1], [1], [5]), 1, "trapezoid") == 1.0


def test_truncated_ranking_counts_missing_positives_as_misses():
    assert average_precision(positive_ranks([3, 0], [0, 2], [3]), 2, "trapezoid") == 0.5


def test_query_without_positives_belongs_in_no_mean():
    values = [average_precision([], 0, "trapezoid"), average_precision([0, 3], 2, "trapezoid")]
    assert math.isnan(values[0])
    assert np.nanmean(values) == values[1]


def test_impossible_ranks_are_refused():
    with pytest.raises(ValueError, match=r"Expected .* received"):
        average_precision([3, 1], 2, "trapezoid")


def test_convention_has_to_be_said():
    with pytest.raises(ValueError, match="received 'voc'"):
        average_precision([0], 1, "voc")


@given(RANKS, st.integers(0, 5))
def test_equals_the_naive_loops(ranks, missing):
    positives = len(ranks) + missing
    if positives == 0:
        return
    relevant = [place in ranks for place in range(41)]
    assert average_precision(ranks, positives, "trapezoid") == pytest.approx(naive_trapezoid(relevant, positives))
    if ranks:
        expected = average_precision_score(relevant, -np.arange(41)) * len(ranks) / positives
        assert average_precision(ranks, positives, "finite_sum") == pytest.approx(expected)


@given(RANKS, st.integers(0, 5), st.sampled_from(CONVENTIONS))
def test_lies_between_0_and_1(ranks, missing, convention):
    if len(ranks) + missing:
        assert 0 <= average_precision(ranks, len(ranks) + missing, convention) <= 1


@given(RANKS.filter(bool), st.data(), st.sampled_from(CONVENTIONS))
def test_moving_a_positive_up_never_lowers_it(ranks, data, convention):
    which = data.draw(st.integers(0, len(ranks) - 1))
    free = sorted(set(range(ranks[which] + 1)) - set(ranks[:which]))
    moved = sorted([*ranks[:which], data.draw(st.sampled_from(free)), *ranks[which + 1:]])
    before, after = (average_precision(r, len(ranks), convention) for r in (ranks, moved))
    assert after >= before - 1e-12


@given(st.integers(1, 30), st.sampled_from(CONVENTIONS))
def test_perfect_ranking_is_1(positives, convention):
    assert average_precision(range(positives), positives, convention) == pytest.approx(1)


@given(RANKS.filter(bool))
def test_trapezoid_never_exceeds_the_finite_sum(ranks):
    trapezoid, finite = (average_precision(ranks, len(ranks), convention) for convention in ("trapezoid", "finite_sum"))
    assert trapezoid <= finite + 1e-12
