"""Files that are whole or absent."""

import errno
import json
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import (
    atomic_directory,
    atomic_write,
    read_csv,
    read_json,
    sha256,
    write_csv,
    write_json,
    write_npy,
)


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "facts.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(str(1 / 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_npy(tmp_path / "a.npy", np.zeros(3))
    assert not list(tmp_path.iterdir())


def test_files_are_readable_by_others_as_the_umask_says(tmp_path):
    write_json(tmp_path / "a" / "b.json", {})
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE((tmp_path / "a" / "b.json").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_directory_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_directory(tmp_path / "out") as folder:
        (folder / "half").write_text(str(1 / 0))
    assert not list(tmp_path.iterdir())
    with atomic_directory(tmp_path / "out") as folder:
        (folder / "whole").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["whole"]
    with pytest.raises(UserError, match="one that exists"), atomic_directory(tmp_path / "out"):
        pass


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_round_trip(facts):
    import tempfile
    from pathlib import Path
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.json"
        write_json(path, facts)
        assert read_json(path) == facts


def test_nan_is_no_fact(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"map": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", None])
def test_broken_or_absent_json(tmp_path, text):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match="a JSON file at"):
        read_json(path)


def test_csv_round_trip(tmp_path):
    rows = [["1", 'a "quoted", cell'], ["2", "é\nnew line"]]
    write_csv(tmp_path / "t.csv", ["id", "text"], rows)
    assert [list(row.values()) for row in read_csv(tmp_path / "t.csv", ["id", "text"])] == rows


@pytest.mark.parametrize(("text", "said"), [
    ("id,name\n1,x\n", "column landmark_id"), ("", "none"), ("id,landmark_id\n1\n", "fewer in line 2")])
def test_bad_csv_is_named(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        list(read_csv(tmp_path / "t.csv", ["id", "landmark_id"]))


def test_csv_that_is_none(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("t.csv", "absent.csv"):
        with pytest.raises(UserError, match="a readable csv file"):
            list(read_csv(tmp_path / name, ["id"]))


def test_arrays_of_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_npy(tmp_path / "a.npy", np.array([{}], dtype=object))
    assert not list(tmp_path.iterdir())


def test_sha256_of_known_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_json_is_readable_by_a_person(tmp_path):
    write_json(tmp_path / "a.json", {"town": "Béziers"})
    assert '"town": "Béziers"' in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
