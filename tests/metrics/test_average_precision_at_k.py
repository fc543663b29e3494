"""mAP@100 as the GLDv2 evaluation counts it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.average_precision_at_k import average_precision_at_k
from landmark_zoo.metrics.ranks import positive_ranks


def naive(ranking, positives, k):
    """The loop of the official evaluation: duplicates are skipped, the divisor is min(positives, k)."""
    seen, hits, total = set(), 0, 0.0
    for place, image in enumerate(ranking[:k]):
        if image not in seen and image in positives:
            hits += 1
            total += hits / (place + 1)
        seen.add(image)
    return total / min(len(positives), k)


def test_published_vectors():
    assert average_precision_at_k([0, 2], 2) == pytest.approx(0.833333, abs=1e-6)
    assert average_precision_at_k([0, 2], 3) == pytest.approx(0.555556, abs=1e-6)


def test_divisor_is_capped_at_k():
    assert average_precision_at_k(range(100), 250) == 1.0
    assert average_precision_at_k([0], 250) == pytest.approx(0.01)


def test_places_beyond_k_do_not_count():
    assert average_precision_at_k([100], 1) == 0.0
    assert average_precision_at_k([99], 1) == pytest.approx(0.01)


def test_query_without_positives_is_left_out():
    assert math.isnan(average_precision_at_k([], 0))


def test_k_of_zero_is_refused():
    with pytest.raises(ValueError, match="received 0"):
        average_precision_at_k([0], 1, k=0)


@given(st.lists(st.integers(0, 20), max_size=30), st.sets(st.integers(0, 20), min_size=1), st.integers(1, 12))
def test_equals_the_official_loop(ranking, positives, k):
    ranks = positive_ranks(ranking, positives)
    assert average_precision_at_k(ranks, len(positives), k) == pytest.approx(naive(ranking, positives, k))
