import pytest

from landmark_zoo.data import duplicates as module
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.duplicates import find_duplicates


@pytest.fixture
def photographs(tmp_path):
    """photographs(a=b"...", ...) -> entries whose landmark is the first letter of their id."""
    def make(**contents):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        return [Entry(name, str(tmp_path / name), name[0]) for name in contents]
    return make


def test_copies_are_named_with_their_original(photographs):
    entries = photographs(a1=b"x" * 9000, a2=b"y" * 9000, b1=b"x" * 9000, a3=b"x" * 9000, c=b"z")
    found = find_duplicates(entries)
    assert [(copy.entry.id, copy.first.id) for copy in found] == [("b1", "a1"), ("a3", "a1")]
    assert [copy.reason for copy in found] == ["same file as a1 of another landmark, a",
                                               "same file as a1 of the same landmark"]


def test_the_same_size_and_end_are_not_enough(photographs):
    assert find_duplicates(photographs(a=b"1" + b"x" * 9000, b=b"2" + b"x" * 9000)) == []


def test_the_order_decides_which_is_the_original(photographs):
    entries = photographs(a=b"x", b=b"x")
    assert [copy.entry.id for copy in find_duplicates(entries[::-1])] == ["a"]


def test_missing_files_are_passed_over(photographs):
    assert find_duplicates([*photographs(a=b"x", b=b"x"), Entry("gone", "nowhere.jpg", "a")]) != []


def test_few_files_are_read_whole(photographs, monkeypatch):
    read = []
    sha256 = module.sha256
    monkeypatch.setattr(module, "sha256", lambda path: read.append(path) or sha256(path))
    entries = photographs(a=b"1", b=b"2", c=b"333", d=b"44", e=b"44")
    assert [copy.entry.id for copy in find_duplicates(entries)] == ["e"]
    assert read == [entries[3].path, entries[4].path]
