import pytest

from experiments.preparation.part_with_duplicates import part_with_duplicates
from landmark_zoo.data.catalogue import Catalogue, Entry


@pytest.fixture
def parts(tmp_path):
    contents = {"a": b"1", "b": b"1", "c": b"2", "d": b"1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    entries = [Entry(name, str(tmp_path / name), "x" if name != "d" else "y") for name in contents]
    return {"train": Catalogue(entries[:3], "s"), "validation": Catalogue(entries[3:], "s"), "test": None}


def ids(parts):
    return {name: part and [entry.id for entry in part] for name, part in parts.items()}


def test_copies_are_listed(parts, tmp_path):
    assert part_with_duplicates(parts, tmp_path, skip=False) == parts
    assert (tmp_path / "duplicates.csv").read_text().splitlines() == [
        "id,path,reason", f"b,{tmp_path}/b,same file as a of the same landmark",
        f'd,{tmp_path}/d,"same file as a of another landmark, x"']


def test_copies_are_left_out(parts, tmp_path):
    assert ids(part_with_duplicates(parts, tmp_path, skip=True)) == {"train": ["a", "c"], "validation": None, "test": None}


def test_no_copies_no_list(parts, tmp_path):
    (tmp_path / "b").write_bytes(b"3")
    (tmp_path / "d").write_bytes(b"4")
    assert part_with_duplicates(parts, tmp_path, skip=True) == parts
    assert not (tmp_path / "duplicates.csv").exists()
