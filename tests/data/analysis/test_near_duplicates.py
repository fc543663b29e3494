import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.analysis.collection import measure_images
from landmark_zoo.data.analysis.images import images_from_files
from landmark_zoo.data.analysis.near_duplicates import Pairs, duplicate_groups, hamming_pairs, near_duplicates
from landmark_zoo.data.datasets.folder import read_folder


def pairs(hashes, parts=None, radius=8):
    found = near_duplicates(np.array(hashes, np.uint64), np.array(parts or [0] * len(hashes), np.int64), radius)
    return list(zip(*(column.tolist() for column in found), strict=True))


def test_most_similar_pairs_come_first():
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
def test_the_map_that_is_twice_among_the_images_of_the_great_wall(shared_data, tmp_path):
    entries = read_folder([shared_data / "photos/wonders/great_wall_of_china"]).entries
    table = measure_images(images_from_files("train", entries), tmp_path).table
    assert table["readable"].all()
    found = near_duplicates(table["hash"], np.zeros(len(table), np.int64))
    assert found.bits.tolist() == [0]


near = st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=6)), max_size=24)


def by_comparing_all(values, radius):
    return {(one, other, (int(values[one]) ^ int(values[other])).bit_count())
            for one in range(len(values)) for other in range(one + 1, len(values))
            if (int(values[one]) ^ int(values[other])).bit_count() <= radius}


@given(near, st.sampled_from([0, 1, 4, 8, 11]))
def test_hamming_pairs_equal_comparing_all_with_all(drawn, radius):
    bases = np.random.default_rng(7).integers(0, 2**63, 4, dtype=np.uint64)
    values = np.array(sorted({int(bases[base]) ^ sum(1 << bit for bit in bits) for base, bits in drawn}), np.uint64)
    found = hamming_pairs(values, radius)
    assert set(zip(*(column.tolist() for column in found), strict=True)) == by_comparing_all(values, radius)
    assert len(found[0]) == len(by_comparing_all(values, radius)), "each once"


@pytest.mark.parametrize("candidates", [1, 7])
def test_hamming_pairs_in_small_portions(candidates):
    values = np.unique(np.random.default_rng(0).integers(0, 4096, 60).astype(np.uint64))
    expected = by_comparing_all(values, 5)
    assert set(zip(*(column.tolist() for column in hamming_pairs(values, 5, candidates)), strict=True)) == expected


def test_hamming_pairs_of_none_or_one():
    for values in ([], [5]):
        assert [len(column) for column in hamming_pairs(np.array(values, np.uint64), 8)] == [0, 0, 0]


def groups(pairs, images):
    columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return [group.tolist() for group in duplicate_groups(Pairs(*columns, np.zeros(columns.shape[1])), images)]


def test_chain_is_one_group_and_the_largest_comes_first():
    assert groups([(1, 2), (4, 5), (5, 9)], 10) == [[4, 5, 9], [1, 2]]


def test_no_groups_without_pairs():
    assert groups([], 3) == []
    assert groups([], 0) == []
