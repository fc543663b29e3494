"""Pairs of one landmark."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.whitening.matching_pairs import matching_pairs


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=4, max_size=20), st.integers(0, 9))
def test_pairs_are_two_photographs_of_one_landmark(landmarks, seed):
    landmark_of = {f"i{n}": landmark for n, landmark in enumerate(landmarks)}
    pairs = matching_pairs([*landmark_of, "unknown"], landmark_of, 50, seed)
    assert len(pairs) == 50
    assert all(a != b and landmark_of[a] == landmark_of[b] for a, b in pairs)


def test_every_photograph_with_a_partner_is_drawn_about_as_often():
    landmark_of = {**{f"a{n}": "a" for n in range(2)}, **{f"b{n}": "b" for n in range(8)}, "alone": "c"}
    first = [a for a, _ in matching_pairs(list(landmark_of), landmark_of, 10_000)]
    assert "alone" not in first
    assert all(800 < first.count(image_id) < 1200 for image_id in landmark_of if image_id != "alone")


def test_the_seed_decides():
    landmark_of = {f"i{n}": str(n % 3) for n in range(30)}
    ids = list(landmark_of)
    assert matching_pairs(ids, landmark_of, 20, 1) == matching_pairs(ids, landmark_of, 20, 1)
    assert matching_pairs(ids, landmark_of, 20, 1) != matching_pairs(ids, landmark_of, 20, 2)


def test_no_pair_at_all():
    with pytest.raises(UserError, match="a landmark with two photographs"):
        matching_pairs(["a", "b"], {"a": "1", "b": "2"})
