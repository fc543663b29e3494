"""Pickles of objects: nothing is run, what is hostile or costly is one line."""

import os
import pickle
import sys
import types

import numpy as np
import pytest

from landmark_zoo.backbones.weight_files.inert_pickle import InertPickle, Record
from landmark_zoo.backbones.weight_files.read import read_weight_file
from landmark_zoo.core.errors import UserError
from tests.backbones.weight_files.torch_writer import FORMS, Call, Name, pickled

BUDGET = 1 << 20


def read(data):
    return InertPickle(BUDGET).read(data)


def end_in_error(data, match=None):
    with pytest.raises((ValueError, TypeError, KeyError, IndexError), match=match):
        read(data)


CODE = {
    "os.system": b"cos\nsystem\n(S'touch {}'\ntR.",
    "posix.system": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x08touch {}\x85R.",
    "eval": b"c__builtin__\neval\n(S'open(\"{}\",\"w\")'\ntR.",
    "getattr": b"cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR.",
    "attribute of an attribute": b"\x80\x04\x8c\x05torch\x8c\x09os.system\x93\x8c\x08touch {}\x85R.",
    "INST": b"(S'touch {}'\nios\nsystem\n.",
    "OBJ": b"(csubprocess\nPopen\nS'touch {}'\no.",
    "importlib": b"cimportlib\nimport_module\n(S'antigravity'\ntR.",
    "runpy": b"crunpy\nrun_path\n(S'{}'\ntR.",
    "attrgetter": b"coperator\nattrgetter\n(S'x'\ntR.",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CODE)
def test_functions_that_run_code_are_refused(tmp_path, form, name):
    trace = tmp_path / "touched"
    data = CODE[name].replace(b"{}", str(trace).encode()) if b"\x8c\x08" not in CODE[name] else CODE[name]
    (tmp_path / "a.pth").write_bytes(FORMS[form]({}, data=data))
    with pytest.raises(UserError, match=r"which could run code \(do not trust this file\)"):
        read_weight_file(tmp_path / "a.pth")
    assert not trace.exists()


def test_nothing_is_imported_or_called(tmp_path, monkeypatch):
    """A module of the file's name stands ready; its class, its function and its reducer are left alone."""
    called = []
    module = types.ModuleType("strange")
    module.Class = type("Class", (), {"__init__": lambda *_: called.append(1), "__setstate__": lambda *_: called.append(2)})
    module.function = lambda *_: called.append(3)
    monkeypatch.setitem(sys.modules, "strange", module)
    found = read(b"(cstrange\nClass\n)\x81}bcstrange\nfunction\n(I1\ntRcabsent\nThing\n)R(istrange\nClass\nl.")
    assert called == []
    assert [record.name for record in found] == ["strange.Class", "strange.function", "absent.Thing", "strange.Class"]
    assert "absent" not in sys.modules


class Reduced:
    """Would make a folder when unpickled."""

    def __reduce__(self):
        return os.mkdir, ("made",)


def test_a_reducer_is_refused():
    end_in_error(pickle.dumps(Reduced()), r"posix\.mkdir, which could run code")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_python_writes(protocol):
    """Plain data, bytes, arrays and sets of every protocol."""
    value = {"a": [1, 2.5, None, True, ("x", b"\x00\xff")], 3: np.arange(6, dtype=np.float32).reshape(2, 3), "s": {7}}
    found = read(pickle.dumps(value, protocol))
    assert found["a"][:4] == value["a"][:4]
    assert found["a"][4] == value["a"][4]
    np.testing.assert_array_equal(found[3], value[3])
    assert isinstance(found["s"], Record)


def test_records_keep_what_was_written():
    found = read(pickled([Call(Name("a.b", "C"), (1, "x"), {"k": 2})])[0])[0]
    assert (found.name, found.arguments, found.state) == ("a.b.C", (1, "x"), {"k": 2})
    assert read(b"\x80\x02ca\nDict\n)\x81(X\x01\x00\x00\x00kK\x01u.").contents == ["k", 1]
    assert read(b"\x80\x02ca\nList\n)\x81(K\x01K\x02e.").contents == [1, 2]


COSTLY = {
    "shared lists written out": b"]" + b"".join(b"\x94h%c\x86" % level for level in range(60)) + b".",
    "shared records written out": b"ca\nB\n)Rq\x00" + b"0ca\nB\nh\x00h\x00\x86\x81q\x00" * 40 + b".",
    "lists 100,000 deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "records 1,000 deep": b"ca\nB\nq\x00" * 1000 + b")" + b"\x81\x85" * 1000 + b".",
    "records 50,000 deep": b"N" + b"\x85q\x010ca\nB\nh\x01\x81" * 50_000 + b".",
    "a dtype of lists 100,000 deep": b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n" + b"]" * 100_000 + b"a" * 99_999
    + b"\x85RC\x00\x86R.",
    "a shape of lists 100,000 deep": b"cnumpy.core.multiarray\n_reconstruct\n)R(" + b"]" * 100_000 + b"a" * 99_999
    + b"\x85cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R\x89C\x00tb.",
    "a record in itself": b"ca\nB\n)\x81q\x00h\x00b.",
    "a list in itself": b"]q\x00h\x00a.",
    "two million opcodes": b"(" + b"N" * 2_000_000 + b"l.",
    "a key that hashes 2^60 times": b"}" + b")" + b"".join(b"\x94h%c\x86" % level for level in range(60)) + b"K\x01s.",
    "keys that collide": b"}(\x8a\x09" + b"\xff" * 8 + b"\x1fK\x01u.",
    "a number of 2^20 bits": b"\x8b\x00\x00\x02\x00" + b"\x01" * 2**17 + b".",
    "object numbers that collide": b"]p%d\n." % (2**61 - 1),
    "a name of a megabyte": b"c" + b"a" * 2**20 + b"\nb\n.",
    "texts decoded again and again": b"X\x00\x00\x04\x00" + b"a" * 2**18 + b"q\x000(" + (
        b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 10) + b"l.",
    "pairs copied again and again": b"(" + b"".join(
        b"M%c%cK\x01\x86" % (n % 256, n // 256) for n in range(1000)) + b"lq\x000(" + (
        b"ccollections\nOrderedDict\nh\x00\x85R" * 2000) + b"l.",
    "arguments without end": b"(" + b"N" * 1000 + b"tq\x000c_codecs\nencode\nh\x00R.",
    "a dimension without end": b"cnumpy.core.multiarray\n_reconstruct\n)R((" + b"K\x01" * 1000
    + b"tcnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R\x89C\x00tb.",
}


REASONS = {  # first words of the name to what is said
    "shared": "with shared objects written out", "lists": "nested more than 100 deep",
    "records": "nested more than 100 deep", "a record": "inside itself", "a list": "inside itself",
    "two": "more than 1,000,000 opcodes", "a key": "a key that is a tuple", "keys": "a key that is a int",
    "a number": "a number of 1,048,569 bits", "object": "object number 23058430092136939",
    "a name": "at most 256 characters", "texts": "larger than the file", "pairs": "larger than the file",
    "arguments": "1,000 arguments of _codecs.encode", "a dimension": "no short tuple", "a dtype": "without a dtype",
    "a shape": "not of whole numbers"}


@pytest.mark.parametrize("name", COSTLY)
def test_what_would_take_for_ever_is_refused(name):
    words = name.split()
    end_in_error(COSTLY[name], REASONS.get(words[0]) or REASONS[" ".join(words[:2])])


def array(dtype="f8", shape=b"K\x02\x85", data=b"C\x10" + bytes(16), state=b""):
    return (b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01" + shape + b"cnumpy\ndtype\nX%c\x00\x00\x00" % len(dtype)
            + dtype.encode() + b"\x85R" + state + b"\x89" + data + b"tb.")


def test_arrays():
    np.testing.assert_array_equal(read(array()), [0, 0])
    for data, match in ((array("O8"), "an array of 'O8'"), (array("V8"), "an array of"),
                        (array(shape=b"K\x03\x85"), "16 bytes"),
                        (array(shape=b"J\xff\xff\xff\xff\x85"), "as sizes"), (array(data=b"K\x01"), None),
                        (array(state=b"(K\x03X\x01\x00\x00\x00<K\x01NNK\x00K\x00K\x00tb"), "an array of parts"),
                        (array(state=b"(K\x03X\x01\x00\x00\x00!NNNK\x00K\x00K\x00tb"), "an array of parts")):
        end_in_error(data, match)


@pytest.mark.parametrize(("data", "match"), [
    (b"}(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00aK\x02u.", "twice in a dict"),
    (b"ccollections\nOrderedDict\n(((X\x01\x00\x00\x00aK\x01tX\x01\x00\x00\x00aK\x02\x86ltR.", None),
    (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "another codec"),
    (b"\x80\x02\x82\x01.", "EXT1 at byte 2"), (b"]q\x00)R.", "a call of a list"), (b"])\x81.", "an object of a list"),
    (b"Pname\n.", "outside of the pickle"), (b"K\x01Q.", "outside of the pickle"), (b"\x93.", None),
    (b"K\x01K\x02\x93.", "a class"),
    (b"0.", None), (b"b.", None), (b"R.", None), (b"(o.", None)])
def test_broken_pickles(data, match):
    end_in_error(data, match)
