from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.analysis.class_balance import class_balance


def test_counts_fall_and_equal_ones_stand_by_name():
    balance = class_balance(["b", "a", "c", "c", "", "c", "d"])
    assert balance.landmarks == ("c", "a", "b", "d")
    assert balance.counts.tolist() == [3, 1, 1, 1]
    assert balance.head == 1
    assert balance.at_most(1) == 3


def test_nothing_is_known_of_no_landmarks():
    balance = class_balance(["", ""])
    assert (balance.landmarks, balance.head, balance.at_most(9)) == ((), 0, 0)


@given(st.lists(st.sampled_from("abcdefg"), min_size=1))
def test_the_head_is_the_fewest_landmarks_with_half_of_the_photographs(landmarks):
    balance = class_balance(landmarks)
    assert 2 * balance.counts[:balance.head].sum() >= len(landmarks)
    assert 2 * balance.counts[:balance.head - 1].sum() < len(landmarks)
