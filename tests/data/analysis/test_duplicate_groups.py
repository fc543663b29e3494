import numpy as np

from landmark_zoo.data.analysis.duplicate_groups import duplicate_groups
from landmark_zoo.data.analysis.near_duplicates import Pairs


def groups(pairs, pictures):
    columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return [group.tolist() for group in duplicate_groups(Pairs(*columns, np.zeros(columns.shape[1])), pictures)]


def test_a_chain_is_one_group_and_the_largest_comes_first():
    assert groups([(1, 2), (4, 5), (5, 9)], 10) == [[4, 5, 9], [1, 2]]


def test_without_pairs_there_are_no_groups():
    assert groups([], 3) == []
    assert groups([], 0) == []
