import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry


def catalogue(**landmarks):
    return Catalogue(tuple(Entry(f"{landmark}{i}", f"{landmark}/{i}.jpg", landmark)
                           for landmark, count in landmarks.items() for i in range(count)), "a test")


def test_counts():
    assert catalogue(a=3, b=1).landmark_counts == {"a": 3, "b": 1}
    assert len(catalogue(a=3, b=1)) == 4


def test_filters():
    full = catalogue(a=3, b=1, c=2)
    assert full.with_min_count(2).landmark_counts == {"a": 3, "c": 2}
    assert full.without_landmarks(["a"]).landmark_counts == {"b": 1, "c": 2}
    assert full.without_ids({"a0", "c1", "nobody"}).landmark_counts == {"a": 2, "b": 1, "c": 1}
    assert full.landmarks_of(["a0", "a1", "b0", "nobody"]) == {"a", "b"}


def test_filters_keep_order_and_source():
    filtered = catalogue(c=2, a=2, b=1).with_min_count(2)
    assert [entry.id for entry in filtered] == ["c0", "c1", "a0", "a1"]
    assert filtered.source == "a test"


def test_empty_is_refused():
    with pytest.raises(UserError, match="photographs in a test; received none"):
        Catalogue((), "a test")
    with pytest.raises(UserError, match="received none"):
        catalogue(a=1).with_min_count(2)


def test_an_id_that_occurs_twice_is_refused_with_both_files():
    with pytest.raises(UserError, match=r"'x' for 1\.jpg and 2\.jpg"):
        Catalogue((Entry("x", "1.jpg", "a"), Entry("x", "2.jpg", "b")), "a test")


@pytest.mark.parametrize("entry", [Entry("", "1.jpg", "a"), Entry("x", "1.jpg", "")])
def test_an_empty_name_is_refused(entry):
    with pytest.raises(UserError, match=r"an id and a landmark for 1\.jpg"):
        Catalogue((entry,), "a test")


def test_the_landmarks_with_most_pictures():
    entries = [Entry(f"{landmark}{i}", "x.jpg", landmark) for landmark, count in (("b", 2), ("a", 2), ("c", 3), ("d", 1))
               for i in range(count)]
    kept = Catalogue(tuple(entries), "a test").with_most_pictures(2)
    assert kept.landmark_counts == {"a": 2, "c": 3}
    assert len(kept.with_most_pictures(9)) == 5
