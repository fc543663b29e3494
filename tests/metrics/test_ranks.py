"""Ranks of positives: junk, duplicates, truncated rankings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.ranks import positive_ranks

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
