import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.analysis.file_photographs import file_photographs
from landmark_zoo.data.analysis.measured import measured
from landmark_zoo.data.analysis.near_duplicates import near_duplicates
from landmark_zoo.data.folder import read_folder


def pairs(hashes, parts=None, radius=8):
    found = near_duplicates(np.array(hashes, np.uint64), np.array(parts or [0] * len(hashes), np.int64), radius)
    return list(zip(*(column.tolist() for column in found), strict=True))


def test_the_most_alike_come_first():
    assert pairs([0b1111, 0, 0b1, 2**40 - 1]) == [(1, 2, 1), (0, 2, 3), (0, 1, 4)]


def test_equal_ones_are_paired_with_the_first_of_their_part_only():
    assert pairs([7, 7, 7, 7]) == [(0, 1, 0), (0, 2, 0), (0, 3, 0)]
    assert pairs([7, 7, 7, 7, 5], [0, 0, 1, 1, 0]) == [(0, 1, 0), (0, 2, 0), (2, 3, 0), (0, 4, 1), (2, 4, 1)]


def test_copies_in_a_third_part_hide_nothing():
    assert (1, 2, 1) in pairs([7, 7, 5, 5], [0, 1, 2, 0]), "index image and query, both also trained on"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), max_size=30))
def test_whatever_is_alike_is_tied_to_something_of_its_own_hash_and_part(drawn):
    hashes, parts = [hash_ for hash_, _ in drawn], [part for _, part in drawn]
    first = {}
    for number, key in enumerate(drawn):
        first.setdefault(key, number)
    found = pairs(hashes, parts, radius=2)
    expected = {(first[key], number) for number, key in enumerate(drawn) if first[key] != number}
    expected |= {(one, other) for one in first.values() for other in first.values()
                 if one < other and (hashes[one] ^ hashes[other]).bit_count() <= 2}
    assert {pair[:2] for pair in found} == expected
    assert len(found) == len(expected)


@pytest.mark.photographs
def test_the_map_that_is_twice_among_the_photographs_of_the_great_wall(shared_data, tmp_path):
    entries = read_folder([shared_data / "photos/wonders/great_wall_of_china"]).entries
    table = measured(file_photographs("train", entries), tmp_path).table
    assert table["readable"].all()
    found = near_duplicates(table["hash"], np.zeros(len(table), np.int64))
    assert found.bits.tolist() == [0]
