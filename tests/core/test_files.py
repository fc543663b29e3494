import errno
import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import (
    atomic_directory,
    atomic_write,
    check_relative,
    check_sha256,
    claim_path,
    lock_directory,
    read_csv,
    read_json,
    read_json_lines,
    read_npy,
    remove_unfinished,
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


@settings(max_examples=30)
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


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud83d"}', '{"a": 1e400}'])
def test_json_that_readers_take_in_several_ways_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a JSON file at .*a\.json; received "):
        read_json(tmp_path / "a.json")


def test_json_of_another_form_names_file_and_field(tmp_path):
    write_json(tmp_path / "a.json", {"step": "1"})
    with pytest.raises(UserError, match=r"a whole number for step in .*a\.json; received '1'"):
        read_json(tmp_path / "a.json", {"step": int})


@pytest.mark.parametrize("bad", ["{", '{"step": NaN}', '{"step": null}', "[" * 100_000, "\xff", '{"step": 2'])
def test_a_bad_line_of_json_costs_no_other(tmp_path, caplog, bad):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"step": 1}\n\n' + bad.encode("latin-1") + b'\n{"step": 3}\n{"step": ')
    assert list(read_json_lines(path, {"step": int})) == [{"step": 1}, {"step": 3}]
    assert [number for number in range(1, 7) if f"Line {number} of {path} is left out" in caplog.text] == [3, 5]


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


@pytest.mark.parametrize(("text", "said"), [
    ('id,place\n1,"6 pounder gun\n2,x\n', "unexpected end of data in the row of line 2"),
    ('id,place\n1,"6 pounder gun\n2,x\n3,big"\n', "whole rows inside the cell that begins in line 2"),
    ('id,place\n1,"6" pounder gun\n', "expected after '\"' in the row of line 2"),
    ("id,place\n1,a\n2,Notre-Dame, Paris\n", "received 3 in line 3"),
    ("id,place,id\n1,a,2\n", "id twice"),
    ("id,place,note\n1,a\n", "fewer in line 2"),
])
def test_a_line_that_is_no_row_is_named(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=said) as error:
        list(read_csv(tmp_path / "t.csv", ["id", "place"]))
    assert str(tmp_path / "t.csv") in str(error.value)


def test_csv_of_another_encoding(tmp_path):
    (tmp_path / "t.csv").write_bytes("id,place\n1,\xc9glise\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"t\.csv, in UTF-8; received .*0xc9"):
        list(read_csv(tmp_path / "t.csv", ["id"]))


def test_long_cells_blank_lines_and_cells_of_spreadsheets(tmp_path):
    (tmp_path / "t.csv").write_text(f"\ufeffid,place,,\r\n1,{'x' * 200_000},,\r\n\r\n2,5\" gun,,\r\n", newline="")
    found = [(row["id"], len(row["place"])) for row in read_csv(tmp_path / "t.csv", ["id", "place"])]
    assert found == [("1", 200_000), ("2", 6)]


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters=",\0"))] * 3), max_size=5))
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv(path, ["a", "b", "c"], rows)
    assert [tuple(row.values()) for row in read_csv(path, ["a", "b", "c"])] == rows


def test_json_nested_without_end(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="a JSON file"):
        read_json(tmp_path / "deep.json")


@pytest.mark.parametrize("array", [np.zeros(()), np.zeros((0, 3), np.float32), np.asfortranarray(np.eye(3, 4)),
                                   np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])])
@pytest.mark.parametrize("mmap", [False, True])
def test_arrays_come_back(tmp_path, array, mmap):
    np.save(tmp_path / "a.npy", array)
    found = read_npy(tmp_path / "a.npy", mmap=mmap)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", ["(1000000000000, 8)", "(-1, 8)", "(3,)", "'x'"])
@pytest.mark.parametrize("mmap", [False, True])
def test_arrays_of_impossible_shapes(tmp_path, shape, mmap):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(32))
    with pytest.raises((ValueError, OSError)):
        read_npy(tmp_path / "a.npy", mmap=mmap)


def test_arrays_of_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_npy(tmp_path / "a.npy", np.array([{}], dtype=object))
    assert not list(tmp_path.iterdir())


def test_a_lock_that_is_a_link_empties_nothing(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"), lock_directory(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_sha256_of_known_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_json_is_readable_by_a_person(tmp_path):
    write_json(tmp_path / "a.json", {"town": "Béziers"})
    assert '"town": "Béziers"' in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))


HOLD = """
import sys
from landmark_zoo.core.files import lock_directory
with lock_directory(sys.argv[1]):
    print("held", flush=True)
    input()
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(UserError, match=f"a run that is using it \\(pid {holder.pid}"), lock_directory(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with lock_directory(tmp_path):
            assert (tmp_path / ".lock").exists()


def test_of_two_that_write_one_path_the_second_is_refused(tmp_path):
    with claim_path(tmp_path / "out"):
        with pytest.raises(UserError, match=rf"{tmp_path}/out to be free; .*\(pid {os.getpid()}"), \
                atomic_directory(tmp_path / "out"):
            pass
        with atomic_directory(tmp_path / "other"):
            pass
    with atomic_directory(tmp_path / "out"):
        pass
    assert sorted(os.listdir(tmp_path)) == ["other", "out"]


def test_the_lock_of_a_path_that_is_a_link_empties_nothing(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".out.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"), claim_path(tmp_path / "out"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_what_killed_processes_left_for_a_path_goes_and_no_more(tmp_path):
    (tmp_path / ".out.abcd_123.tmp" / "below").mkdir(parents=True)
    (tmp_path / ".out.zyxwvuts.tmp").write_text("half")
    (tmp_path / ".out.lock").write_text("pid 1, which is no more")
    kept = [".out.json.abcdefgh.tmp", ".out.abcdefgh", ".other.abcdefgh.tmp", "out.abcdefgh.tmp"]
    for name in kept:
        (tmp_path / name).write_text("x")
    with atomic_directory(tmp_path / "out"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "out"])


def test_other_bytes_are_named(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    check_sha256(tmp_path, {"abc": sha256(tmp_path / "abc")})
    with pytest.raises(ValueError, match="an unreadable abc: its checksum"):
        check_sha256(tmp_path, {"abc": "0" * 64})


def test_only_temporary_files_and_folders_go(tmp_path):
    (tmp_path / ".folder.x1.tmp" / "below").mkdir(parents=True)
    for name in (".a.json.x1.tmp", "a.json", ".lock", "b.tmp", "c.part"):
        (tmp_path / name).write_text("x")
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "nowhere")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", ".lock", "b.tmp", "c.part"}


OUTSIDE = ["../x", "a/../../x", "..", "/etc/passwd", "a\0b", "a/..", "\ud800"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_out_of_a_folder_is_one_line(name):
    with pytest.raises(UserError, match=r"Expected names in list\.csv that lie below its folder; received"):
        check_relative(name, "list.csv")


@pytest.mark.parametrize("name", ["x", "a/b.jpg", "..x", "a..b", "x..", "...", "Ünï code", "\udc80", ""])
def test_other_names_are_kept(name):
    assert check_relative(name, "list.csv") == name


def test_an_error_of_a_write_names_the_file(tmp_path):
    with pytest.raises(OSError, match=r"No space") as raised, atomic_write(tmp_path / "x.npy"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert raised.value.filename == str(tmp_path / "x.npy")
    with pytest.raises(OSError, match=r"^240 requested and 0 written$"), atomic_write(tmp_path / "x.npy"):
        raise OSError("240 requested and 0 written")
