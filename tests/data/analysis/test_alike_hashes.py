import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.analysis import alike_hashes as module
from landmark_zoo.data.analysis.alike_hashes import alike_hashes

near = st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=6)), max_size=24)


def by_comparing_all(values, radius):
    return {(one, other, (int(values[one]) ^ int(values[other])).bit_count())
            for one in range(len(values)) for other in range(one + 1, len(values))
            if (int(values[one]) ^ int(values[other])).bit_count() <= radius}


@given(near, st.sampled_from([0, 1, 4, 8, 11]))
def test_finds_what_comparing_all_with_all_finds(drawn, radius):
    bases = np.random.default_rng(7).integers(0, 2**63, 4, dtype=np.uint64)
    values = np.array(sorted({int(bases[base]) ^ sum(1 << bit for bit in bits) for base, bits in drawn}), np.uint64)
    found = alike_hashes(values, radius)
    assert set(zip(*(column.tolist() for column in found), strict=True)) == by_comparing_all(values, radius)
    assert len(found[0]) == len(by_comparing_all(values, radius)), "each once"


@pytest.mark.parametrize("candidates", [1, 7])
def test_the_size_of_the_portions_changes_nothing(monkeypatch, candidates):
    values = np.unique(np.random.default_rng(0).integers(0, 4096, 60).astype(np.uint64))
    expected = by_comparing_all(values, 5)
    monkeypatch.setattr(module, "_CANDIDATES", candidates)
    assert set(zip(*(column.tolist() for column in alike_hashes(values, 5)), strict=True)) == expected


def test_of_none_or_one_there_are_no_pairs():
    for values in ([], [5]):
        assert [len(column) for column in alike_hashes(np.array(values, np.uint64), 8)] == [0, 0, 0]
