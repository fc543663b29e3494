"""The interpreter of plain pickles and the reader of files; that of weight files has more: `weight_files`."""

import io
import json
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core import pickles
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.pickles import OpcodeError, PlainPickle, read_plain_pickle


def read(data):
    return PlainPickle(max_opcodes=1000, max_size=10_000).read(data)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(protocol):
    shared = [1, 2]
    facts = {"a": (1, 2.5, None, True, False), "b": [shared, shared, {}], "c": "é\n", "d": -(2**70)}
    assert read(pickle.dumps(facts, protocol)) == facts


def test_the_file_stands_behind_what_was_read():
    file = io.BytesIO(pickle.dumps([1]) + pickle.dumps("two") + b"rest")
    assert (read(file), read(file), file.read()) == ([1], "two", b"rest")


@pytest.mark.parametrize("what", [os.getcwd, print, object(), {1}.__class__])
def test_nothing_is_named_or_called(what):
    with pytest.raises(OpcodeError, match="at byte"):
        read(pickle.dumps(what))


@pytest.mark.parametrize(("data", "said"), [
    (pickle.dumps({1: 2}), "no string"), (pickle.dumps([0] * 2000), "more than 1,000 opcodes"),
    (pickle.dumps(["x" * 20_000]), "characters with shared objects"),
    (b"]q\x00h\x00a.", "inside itself"), (b"(K\x01.", "marks left over"), (b"t.", "no mark"),
    (b"]" + b"]" * 150 + b"a" * 150 + b".", "nested more than 100 deep")])
def test_what_is_refused(data, said):
    with pytest.raises((ValueError, TypeError), match=said):
        read(data)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
                   | st.lists(inner, max_size=5).map(tuple)), max_leaves=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pickles")


def written(folder, data: bytes):
    path = folder / "file.pkl"
    path.write_bytes(data)
    return path


@settings(max_examples=150, deadline=None)
@given(value=PLAIN, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_data_of_every_protocol_comes_back(folder, value, protocol):
    assert read_plain_pickle(written(folder, pickle.dumps(value, protocol))) == value


def test_shared_objects_stay_shared(folder):
    inner = [1]
    first, second = read_plain_pickle(written(folder, pickle.dumps([inner, inner])))
    assert first is second


class Hostile:
    """Would run a command when unpickled."""

    def __reduce__(self):
        return os.system, ("touch {}",)


HOSTILE = {
    "GLOBAL and REDUCE": b"cos\nsystem\n(S'touch {}'\ntR.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x08touch {}\x85R.",
    "INST": b"(S'touch {}'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch {}'\no.",
    "BUILD": b"]}b.",
    "NEWOBJ": b"\x80\x02cbuiltins\nlist\n)\x81.",
    "EXT": b"\x80\x02\x82\x01.",
    "PERSID": b"Pname\n.",
    "class": pickle.dumps(Hostile()),
    "numpy": pickle.dumps(np.arange(3)),
    "bytearray": pickle.dumps(bytearray(b"x"), 5),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_could_call_code_is_refused(folder, name):
    trace = folder / "touched"
    with pytest.raises(UserError, match=r"at byte \d+, which could call code"):
        read_plain_pickle(written(folder, HOSTILE[name].replace(b"{}", str(trace).encode())))
    assert not trace.exists()


@pytest.mark.parametrize("data", [
    b"", b"text", b"\x80\x04", pickle.dumps([1, 2, 3])[:-3], b"a.", b"K\x01a.", b"h\x05.", b"]]K\x01s.", b"K\x01K\x02.",
    b"(K\x01K\x02.", b"e.", b"(.", b"\x86.", b"(K\x01d.", b"q\x00.", b"]",
])
def test_broken_files_are_one_line(folder, data):
    with pytest.raises(UserError, match="readable pickle"):
        read_plain_pickle(written(folder, data))


def test_missing_file(folder):
    with pytest.raises(UserError, match="No such file"):
        read_plain_pickle(folder / "absent.pkl")


COSTLY = {
    "key that hashes 2^40 times": b"}" + b")" + b"".join(b"\x94h%c\x86" % level for level in range(40)) + b"K\x01s.",
    "key that collides": b"}(K\x01K\x02u.",
    "2^40 numbers written out": b"]" + b"".join(b"\x94h%c\x86" % level for level in range(40)) + b".",
    "characters written out": b"](X\x00\x00\x10\x00" + b"a" * 2**20 + b"q\x00" + b"h\x00" * 300 + b"e.",
    "lists 100,000 deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "tuples 100,000 deep as a key": b"})" + b"\x85" * 100_000 + b"K\x01s.",
    "list in itself": b"]q\x00h\x00a.",
    "dict in itself": b"}q\x00X\x01\x00\x00\x00ah\x00s.",
    "number of 2^20 bits": b"\x8b\x00\x00\x02\x00" + b"\x01" * 2**17 + b".",
    "object numbers that collide": b"]p%d\n." % (2**61 - 1),
    "negative object number": b"]p-1\n.",
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_would_take_for_ever_is_one_line(folder, name):
    with pytest.raises(UserError, match="readable pickle"):
        read_plain_pickle(written(folder, COSTLY[name]))


def test_marks_take_linear_time(folder):
    count = 30_000  # the square of it took ten seconds
    data = b"](" + b"K\x01" * count + b"(t" * count + b"e."
    assert len(read_plain_pickle(written(folder, data))) == 2 * count


def test_limits_of_size(folder, monkeypatch):
    monkeypatch.setattr(pickles, "MAX_OPCODES", 5)
    with pytest.raises(UserError, match="more than 5 opcodes"):
        read_plain_pickle(written(folder, b"](" + b"K\x01" * 8 + b"e."))
    monkeypatch.setattr(pickles, "MAX_BYTES", 5)
    with pytest.raises(UserError, match="at most 5 bytes"):
        read_plain_pickle(written(folder, b"]" * 8))


def test_a_pipe_and_a_device_are_refused(folder):
    os.mkfifo(folder / "pipe.pkl")
    for path in (folder / "pipe.pkl", "/dev/zero"):
        with pytest.raises(UserError, match="no regular file"):
            read_plain_pickle(path)


@pytest.mark.photographs
@pytest.mark.parametrize("name", ["gnd_roxford5k", "gnd_rparis6k"])
def test_the_real_ground_truth_equals_its_json(shared_data, name):
    with open(shared_data / "ground_truth" / f"{name}.json", encoding="utf-8") as file:
        assert read_plain_pickle(shared_data / "ground_truth" / f"{name}.pkl") == json.load(file)
