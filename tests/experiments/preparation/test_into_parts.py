import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.preparation.into_parts import into_parts
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry


def catalogue(counts):
    return Catalogue(tuple(Entry(f"{name}-{n}", "x", str(name)) for name, count in enumerate(counts) for n in range(count)),
                     "x")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.floats(0, 0.5), st.floats(0, 0.4), st.integers(0, 5))
def test_every_photograph_is_in_one_part_and_every_landmark_is_trained(counts, validation, test, seed):
    parts = into_parts(catalogue(counts), validation, test, seed)
    ids = [entry.id for part in parts.values() if part for entry in part]
    assert sorted(ids) == sorted(entry.id for entry in catalogue(counts))
    assert set(parts["train"].landmark_counts) == {str(name) for name in range(len(counts))}
    assert ("test" in parts) == bool(test)


def test_fractions_that_leave_nothing():
    with pytest.raises(UserError, match="below 1 together"):
        into_parts(catalogue([3]), 0.5, 0.5, 0)
