"""Weight files by their first bytes: safetensors, the dict of tensors in a file, and torch as a twin."""

import json
import os
import struct
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from landmark_zoo.backbones.weight_files.read import read_state_dict, read_weight_file
from landmark_zoo.core.errors import UserError
from tests.backbones.weight_files.torch_writer import FORMS, legacy, tensor

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def safetensors_bytes(table, data):
    header = (table if isinstance(table, str) else json.dumps(table)).encode()
    return struct.pack("<Q", len(header)) + header + data


def row(kind="F32", shape=(2, 3), begin=0, end=24):
    return {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.fixture
def read_safetensors(tmp_path):
    pytest.importorskip("safetensors")

    def write_and_read(table, data):
        path = tmp_path / "a.safetensors"
        path.write_bytes(safetensors_bytes(table, data))
        return read_weight_file(path)
    return write_and_read


def test_safetensors(read_safetensors):
    short = (VALUES.view(np.uint32) >> 16).astype(np.uint16)
    found = read_safetensors({"__metadata__": {"format": "pt"}, "b": row("BF16", (3, 2), 24, 36), "a": row(),
                              "n": row("I64", (), 36, 44)}, VALUES.tobytes() + short.tobytes() + struct.pack("<q", -5))
    assert sorted(found) == ["a", "b", "n"]
    np.testing.assert_array_equal(found["a"], VALUES)
    np.testing.assert_array_equal(found["b"], VALUES.reshape(3, 2))
    assert (found["b"].dtype, found["n"].shape, int(found["n"])) == (np.float32, (), -5)
    assert not found["a"].flags.writeable


@pytest.mark.parametrize(("table", "data"), [
    ({"a": row(end=20)}, bytes(20)), ({"a": row()}, bytes(23)), ({"a": row()}, bytes(25)),
    ({"a": row(begin=4, end=28)}, bytes(28)), ({"a": row(), "b": row()}, bytes(24)),
    ({"a": row(shape=(2**40, 2**40))}, bytes(24)), ({"a": row("F8_E4M3", (24,))}, bytes(24)),
    ({"a": row("X")}, bytes(24)), ("{", b""), ("{}", b"x"), ({"a": row(shape=(-2, -3))}, bytes(24)),
    ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', bytes(2))])
def test_wrong_safetensors(read_safetensors, table, data):
    with pytest.raises(UserError, match=r"a weight file of torch or safetensors at .*a\.safetensors"):
        read_safetensors(table, data)


def test_cut_safetensors(tmp_path):
    pytest.importorskip("safetensors")
    whole = safetensors_bytes({"a": row()}, VALUES.tobytes())
    for length in range(len(whole)):
        (tmp_path / "a.safetensors").write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"a\.safetensors"):
            read_weight_file(tmp_path / "a.safetensors")


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    (tmp_path / "a.safetensors").write_bytes(safetensors_bytes({"a": row()}, VALUES.tobytes()))
    with pytest.raises(UserError, match=r'pip install "landmark_zoo\[weights\]"'):
        read_weight_file(tmp_path / "a.safetensors")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"epoch": 3, "state_dict": d}, lambda d: {"model_state": d},
                                  lambda d: {f"module.{name}": value for name, value in d.items()}])
def test_the_dict_of_tensors(tmp_path, form, wrap):
    (tmp_path / "a.pth").write_bytes(FORMS[form](wrap({"x": tensor(VALUES), "y": tensor(VALUES[0], "1"), "kind": "text"})))
    found = read_state_dict(tmp_path / "a.pth")
    np.testing.assert_array_equal(found.pop("x"), VALUES)
    np.testing.assert_array_equal(found.pop("y"), VALUES[0])
    assert found in ({}, {"module.kind": "text"})


def test_no_tensors(tmp_path):
    for content in ([1, 2], {"a": 1}, {"state_dict": [1]}):
        (tmp_path / "a.pth").write_bytes(legacy(content))
        with pytest.raises(UserError, match="tensors by name in"):
            read_state_dict(tmp_path / "a.pth")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(UserError, match="a weight file of torch or safetensors at"):
            read_weight_file(path)


def test_the_values_stay_in_the_file(tmp_path):
    """A file of 64 MiB is read without its values: the process grows by far less."""
    path = tmp_path / "a.pth"
    path.write_bytes(legacy({"a": tensor(np.ones(2**24, np.float32))}))
    program = textwrap.dedent(f"""
        import resource
        from landmark_zoo.backbones.weight_files.read import read_weight_file
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        array = read_weight_file({str(path)!r})["a"]
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, array[-1])""")
    grown, last = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                                 env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).stdout.split()
    assert float(last) == 1
    assert int(grown) < 8 * 1024  # KiB


TWIN = """
import argparse, collections, sys
import numpy as np, torch
from safetensors.torch import save_file
base = torch.arange(24.0).reshape(2, 3, 4)
tensors = {"whole": base, "turned": base.permute(2, 0, 1), "part": base[1, 1:], "number": torch.tensor(3.5),
           "none": torch.empty(0, 3), "repeated": torch.arange(3.0).expand(4, 3), "half": base.half(),
           "brain": base.bfloat16(), "brain_turned": base.bfloat16().permute(2, 0, 1), "double": base.double(),
           "int64": base.long(), "int32": base.int(), "int16": base.short(), "int8": base.to(torch.int8),
           "uint8": base.to(torch.uint8), "uint16": base.to(torch.uint16), "bool": base > 5,
           "parameter": torch.nn.Parameter(base + 1), "complex": torch.complex(base, -base)}
meta = {"array": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "args": argparse.Namespace(lr=0.1)}
for form in ("legacy", "zip"):
    torch.save({"state_dict": collections.OrderedDict(tensors), "meta": meta}, f"{sys.argv[1]}/{form}.pth",
               _use_new_zipfile_serialization=form == "zip")
save_file({name: value.detach().contiguous().clone() for name, value in tensors.items() if name != "complex"},
          f"{sys.argv[1]}/flat.safetensors")
np.savez(f"{sys.argv[1]}/expected.npz", **{name: (value.float() if value.dtype == torch.bfloat16 else value).detach().numpy()
                                           for name, value in tensors.items()})
"""


@pytest.mark.slow
def test_what_torch_writes(tmp_path):
    """Every form, type and layout as torch itself saves it (extra `torch`, or LANDMARK_ZOO_TORCH, a Python that has it)."""
    python = os.environ.get("LANDMARK_ZOO_TORCH")
    if not python:
        pytest.importorskip("torch")
    subprocess.run([python or sys.executable, "-c", TWIN, str(tmp_path)], check=True,
                   env={name: value for name, value in os.environ.items() if name != "PYTHONPATH" or not python})
    with np.load(tmp_path / "expected.npz") as expected:
        for name in ("legacy.pth", "zip.pth", "flat.safetensors"):
            found = read_state_dict(tmp_path / name)
            assert expected.keys() - found.keys() == ({"complex"} if name.startswith("flat") else set())
            for key, values in found.items():
                assert (values.dtype, values.shape) == (expected[key].dtype, expected[key].shape), (name, key)
                np.testing.assert_array_equal(values, expected[key], f"{key} of {name}")
    meta = read_weight_file(tmp_path / "zip.pth")["meta"]
    np.testing.assert_array_equal(meta["array"], np.arange(6.0).reshape(2, 3))
    assert meta["args"].state == {"lr": 0.1}
