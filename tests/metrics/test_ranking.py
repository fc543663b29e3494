import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from landmark_zoo.metrics.ranking import (
    CONVENTIONS,
    DIVISORS,
    average_precision,
    average_precision_at_k,
    checked_ranks,
    positive_ranks,
    precision_at_k,
    ranks_without_junk,
    top_k,
)

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


def naive(ranking, positives, k):
    """The loop of the official evaluation: duplicates are skipped, the divisor is min(positives, k)."""
    seen, hits, total = set(), 0, 0.0
    for place, image in enumerate(ranking[:k]):
        if image not in seen and image in positives:
            hits += 1
            total += hits / (place + 1)
        seen.add(image)
    return total / min(len(positives), k)


def test_average_precision_at_k_published_vectors():
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


PRECISION_AT_K_RANKS = st.sets(st.integers(0, 30), max_size=10).map(sorted)


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
    ([0, 1], 2, 10, 0.2), ([0, 9, 10], 3, 10, 0.2), ([], 3, 5, 0.0), ([0], 1, 1, 1.0), (range(10), 99, 10, 1.0)])
def test_gldv2_divides_by_the_places(ranks, positives, k, expected):
    assert precision_at_k(ranks, positives, k, "places") == pytest.approx(expected)


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


@given(PRECISION_AT_K_RANKS.filter(bool), st.integers(1, 20))
def test_equals_revisitop(ranks, k):
    assert precision_at_k(ranks, len(ranks), k, "last_positive") == pytest.approx(revisitop(ranks, k))


@given(PRECISION_AT_K_RANKS, st.integers(0, 4), st.integers(1, 20), st.sampled_from(DIVISORS))
def test_precision_at_k_lies_between_0_and_1(ranks, missing, k, divisor):
    if len(ranks) + missing:
        assert 0 <= precision_at_k(ranks, len(ranks) + missing, k, divisor) <= 1


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(DIVISORS))
def test_precision_at_k_perfect_ranking_is_1(positives, k, divisor):
    reached = positives / k if divisor == "places" and positives < k else 1
    assert precision_at_k(range(positives), positives, k, divisor) == pytest.approx(reached)


def test_good_ranks_become_int64():
    ranks = checked_ranks([0, 4], 3)
    assert ranks.dtype == np.int64
    assert ranks.tolist() == [0, 4]
    assert checked_ranks([], 0).tolist() == []


@pytest.mark.parametrize(("ranks", "positives"), [
    ([-1], 1), ([2, 2], 3), ([3, 1], 3), ([0, 1], 1), ([[0]], 1), ([0.5], 1),
])
def test_checked_ranks_impossible_ranks_are_refused(ranks, positives):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        checked_ranks(ranks, positives)


IDS = st.integers(0, 12)


def naive_ranks(ranking, positives, junk):
    """Walks down the list as one would by hand."""
    ranks, place, seen = [], 0, set()
    for image in ranking:
        if image in junk:
            continue
        if image in positives and image not in seen:
            ranks.append(place)
        seen.add(image)
        place += 1
    return ranks


def test_junk_is_removed_before_counting():
    assert positive_ranks([3, 0, 4, 1, 2], positives=[0, 2], junk=[3]).tolist() == [0, 3]


def test_ids_may_be_strings():
    assert positive_ranks(["b", "a", "longer_id"], {"longer_id", "a"}, {"b"}).tolist() == [0, 1]


def test_a_longer_id_does_not_match_its_beginning():
    assert positive_ranks(["ab", "cd"], ["abc"]).tolist() == []


def test_truncated_ranking_gives_only_what_was_found():
    assert positive_ranks([3, 0], [0, 2], [3]).tolist() == [0]
    assert positive_ranks([], [0, 2]).tolist() == []


def test_duplicate_counts_once_and_keeps_its_place():
    assert positive_ranks(["a", "a", "b"], ["a", "b"]).tolist() == [0, 2]


def test_an_image_cannot_be_positive_and_junk():
    with pytest.raises(ValueError, match="7 in both"):
        positive_ranks([7], [7], [7])


@given(st.lists(IDS, max_size=30), st.sets(IDS), st.sets(IDS))
def test_equals_walking_down_the_list(ranking, positives, junk):
    junk = junk - positives
    assert positive_ranks(ranking, positives, junk).tolist() == naive_ranks(ranking, positives, junk)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_junk_put_anywhere_never_matters(ranking, place):
    with_junk = [*ranking[:place], 99, *ranking[place:]]
    np.testing.assert_array_equal(positive_ranks(with_junk, {1, 4}, {99}), positive_ranks(ranking, {1, 4}))


def test_published_vector():
    assert ranks_without_junk([4, 1], [0]).tolist() == [0, 3]
    assert ranks_without_junk([], [0, 1]).tolist() == []


@given(st.permutations(range(20)), st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_equal_the_ranks_counted_in_the_list(ranking, positives, junk):
    positives -= junk
    places = {image: place for place, image in enumerate(ranking)}
    found = ranks_without_junk([places[image] for image in positives], [places[image] for image in junk])
    np.testing.assert_array_equal(found, positive_ranks(ranking, positives, junk))


def test_a_place_in_both_is_refused():
    with pytest.raises(ValueError, match="received 3 in both"):
        ranks_without_junk([1, 3], [3])


@given(st.integers(0, 3000), st.integers(1, 30), st.integers(0, 3), st.integers(0, 99))
def test_equal_the_start_of_a_stable_sort(count, k, decimals, seed):
    scores = np.round(np.random.default_rng(seed).normal(size=count), decimals).astype(np.float32)
    np.testing.assert_array_equal(top_k(scores, k), np.argsort(-scores, kind="stable")[:k])


def test_a_long_index():
    scores = np.random.default_rng(0).normal(size=100_001).astype(np.float32)
    np.testing.assert_array_equal(top_k(scores, 100), np.argsort(-scores, kind="stable")[:100])
