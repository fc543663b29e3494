"""The interpreter of plain pickles; its two readers have more: `data/datasets/test_safe_pickle`, `weight_files`."""

import io
import os
import pickle

import pytest

from landmark_zoo.core.pickles import OpcodeError, PlainPickle


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
