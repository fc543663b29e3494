from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, train_validation_split


def image_list(**landmarks):
    return ImageList(tuple(ImageEntry(f"{landmark}{i}", f"{landmark}/{i}.jpg", landmark)
                           for landmark, count in landmarks.items() for i in range(count)), "a test")


def test_counts():
    assert image_list(a=3, b=1).landmark_counts == {"a": 3, "b": 1}
    assert len(image_list(a=3, b=1)) == 4


def test_filters():
    full = image_list(a=3, b=1, c=2)
    assert full.with_min_count(2).landmark_counts == {"a": 3, "c": 2}
    assert full.without_landmarks(["a"]).landmark_counts == {"b": 1, "c": 2}
    assert full.without_ids({"a0", "c1", "nobody"}).landmark_counts == {"a": 2, "b": 1, "c": 1}
    assert full.landmarks_of(["a0", "a1", "b0", "nobody"]) == {"a", "b"}


def test_filters_keep_order_and_source():
    filtered = image_list(c=2, a=2, b=1).with_min_count(2)
    assert [entry.id for entry in filtered] == ["c0", "c1", "a0", "a1"]
    assert filtered.source == "a test"


def test_empty_is_refused():
    with pytest.raises(UserError, match="photographs in a test; received none"):
        ImageList((), "a test")
    with pytest.raises(UserError, match="received none"):
        image_list(a=1).with_min_count(2)


def test_an_id_that_occurs_twice_is_refused_with_both_files():
    with pytest.raises(UserError, match=r"'x' for 1\.jpg and 2\.jpg"):
        ImageList((ImageEntry("x", "1.jpg", "a"), ImageEntry("x", "2.jpg", "b")), "a test")


@pytest.mark.parametrize("entry", [ImageEntry("", "1.jpg", "a"), ImageEntry("x", "1.jpg", "")])
def test_an_empty_name_is_refused(entry):
    with pytest.raises(UserError, match=r"an id and a landmark for 1\.jpg"):
        ImageList((entry,), "a test")


def test_the_landmarks_with_most_images():
    entries = [ImageEntry(f"{landmark}{i}", "x.jpg", landmark)
               for landmark, count in (("b", 2), ("a", 2), ("c", 3), ("d", 1)) for i in range(count)]
    kept = ImageList(tuple(entries), "a test").with_most_images(2)
    assert kept.landmark_counts == {"a": 2, "c": 3}
    assert len(kept.with_most_images(9)) == 5


def numbered_images(counts):
    return ImageList(tuple(ImageEntry(f"{landmark}-{i}", f"{landmark}/{i}.jpg", str(landmark))
                           for landmark, count in enumerate(counts) for i in range(count)), "a test")


def ids(part):
    return [] if part is None else [entry.id for entry in part]


COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=8)
FRACTIONS = st.floats(0, 0.99)


@given(COUNTS, FRACTIONS, st.integers(0, 9))
def test_parts_are_disjoint_complete_and_in_order(counts, fraction, seed):
    full = numbered_images(counts)
    train, validation = train_validation_split(full, fraction, seed)
    assert sorted(ids(train) + ids(validation)) == sorted(ids(full))
    assert ids(train) == [i for i in ids(full) if i in set(ids(train))]


@given(COUNTS, FRACTIONS, st.integers(0, 9))
def test_every_landmark_gives_its_fraction_and_keeps_one(counts, fraction, seed):
    train, validation = train_validation_split(numbered_images(counts), fraction, seed)
    for landmark, count in enumerate(counts):
        given_away = validation.landmark_counts[str(landmark)] if validation else 0
        assert given_away == min(int(count * fraction + 0.5), count - 1)
        assert train.landmark_counts[str(landmark)] >= 1


@given(COUNTS, FRACTIONS, st.randoms())
def test_order_does_not_matter(counts, fraction, random):
    full = numbered_images(counts)
    shuffled = replace(full, entries=tuple(random.sample(full.entries, len(full))))
    _, validation = train_validation_split(full, fraction, 1)
    _, reordered = train_validation_split(shuffled, fraction, 1)
    assert set(ids(validation)) == set(ids(reordered))


def test_other_landmarks_do_not_matter():
    _, few = train_validation_split(numbered_images([20]), 0.3, 1)
    _, many = train_validation_split(numbered_images([20, 30]), 0.3, 1)
    assert set(ids(few)) < set(ids(many))


def test_more_validation_keeps_what_was_there():
    _, small = train_validation_split(numbered_images([20]), 0.2, 1)
    _, large = train_validation_split(numbered_images([20]), 0.5, 1)
    assert set(ids(small)) < set(ids(large))


def test_another_seed_is_another_split():
    _, validation = train_validation_split(numbered_images([50]), 0.3, 1)
    _, another = train_validation_split(numbered_images([50]), 0.3, 2)
    assert ids(validation) != ids(another)


def test_singletons_stay_in_training():
    train, validation = train_validation_split(numbered_images([1, 1, 1]), 0.9, 0)
    assert len(train) == 3
    assert validation is None


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_fractions_outside_are_refused(fraction):
    with pytest.raises(ValueError, match="below 1; received"):
        train_validation_split(numbered_images([3]), fraction, 0)
