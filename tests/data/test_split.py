from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.split import split


def catalogue(counts):
    return Catalogue(tuple(Entry(f"{landmark}-{i}", f"{landmark}/{i}.jpg", str(landmark))
                           for landmark, count in enumerate(counts) for i in range(count)), "a test")


def ids(part):
    return [] if part is None else [entry.id for entry in part]


COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=8)
FRACTIONS = st.floats(0, 0.99)


@given(COUNTS, FRACTIONS, st.integers(0, 9))
def test_parts_are_disjoint_complete_and_in_order(counts, fraction, seed):
    full = catalogue(counts)
    train, validation = split(full, fraction, seed)
    assert sorted(ids(train) + ids(validation)) == sorted(ids(full))
    assert ids(train) == [i for i in ids(full) if i in set(ids(train))]


@given(COUNTS, FRACTIONS, st.integers(0, 9))
def test_every_landmark_gives_its_fraction_and_keeps_one(counts, fraction, seed):
    train, validation = split(catalogue(counts), fraction, seed)
    for landmark, count in enumerate(counts):
        given_away = validation.landmark_counts[str(landmark)] if validation else 0
        assert given_away == min(int(count * fraction + 0.5), count - 1)
        assert train.landmark_counts[str(landmark)] >= 1


@given(COUNTS, FRACTIONS, st.randoms())
def test_order_does_not_matter(counts, fraction, random):
    full = catalogue(counts)
    shuffled = replace(full, entries=tuple(random.sample(full.entries, len(full))))
    assert set(ids(split(full, fraction, 1)[1])) == set(ids(split(shuffled, fraction, 1)[1]))


def test_other_landmarks_do_not_matter():
    _, few = split(catalogue([20]), 0.3, 1)
    _, many = split(catalogue([20, 30]), 0.3, 1)
    assert set(ids(few)) < set(ids(many))


def test_more_validation_keeps_what_was_there():
    _, small = split(catalogue([20]), 0.2, 1)
    _, large = split(catalogue([20]), 0.5, 1)
    assert set(ids(small)) < set(ids(large))


def test_another_seed_is_another_split():
    assert ids(split(catalogue([50]), 0.3, 1)[1]) != ids(split(catalogue([50]), 0.3, 2)[1])


def test_singletons_stay_in_training():
    train, validation = split(catalogue([1, 1, 1]), 0.9, 0)
    assert len(train) == 3
    assert validation is None


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_fractions_outside_are_refused(fraction):
    with pytest.raises(ValueError, match="below 1; received"):
        split(catalogue([3]), fraction, 0)
