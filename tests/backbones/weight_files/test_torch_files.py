"""Tensors of both forms of torch's files, written here without torch, and files that are wrong."""

import collections
import pickle
import time
import zipfile

import numpy as np
import pytest

from landmark_zoo.backbones.weight_files.inert_pickle import Record
from landmark_zoo.backbones.weight_files.read import read_weight_file
from landmark_zoo.core.errors import UserError
from tests.backbones.weight_files.torch_writer import (
    FORMS,
    Call,
    Name,
    Storage,
    legacy,
    pickled,
    tensor,
    view,
    zipped,
)

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.fixture(params=FORMS)
def read(request, tmp_path):
    """The function that writes an object in a form and reads it."""
    def written_and_read(obj, **changes):
        path = tmp_path / "file.pth"
        path.write_bytes(FORMS[request.param](obj, **changes))
        return read_weight_file(path)
    return written_and_read


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool",
                                   "complex64"])
def test_every_type(read, dtype):
    values = (VALUES % 5 > 2 if dtype == "bool" else VALUES).astype(dtype)
    found = read({"a": tensor(values)})["a"]
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, values)


def test_bfloat16_is_read_as_float32(read):
    short = (np.array([1.5, -2.0, 3.140625], np.float32).view(np.uint32) >> 16).astype(np.int16)
    found = read({"a": tensor(short, name=Name("torch", "BFloat16Storage"))})["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [1.5, -2.0, 3.140625])


def test_a_type_beside_the_storage(read):
    numbers = np.array([1, 2, 60_000], np.uint16)
    storage = Storage("0", numbers.view(np.uint8), Name("torch.storage", "UntypedStorage"))
    found = read({"a": view(storage, 1, (2,), (1,), "_rebuild_tensor_v3", Name("torch", "uint16"), {})})["a"]
    np.testing.assert_array_equal(found, numbers[1:])


def test_views_of_one_storage(read):
    storage = Storage("7", VALUES.ravel(), device="cuda:3")
    found = read({"whole": view(storage, 0, (2, 3, 4), (12, 4, 1)), "turned": view(storage, 0, (4, 2, 3), (1, 12, 4)),
                  "part": view(storage, 16, (2, 4), (4, 1)), "number": view(storage, 5, (), ()),
                  "none": view(storage, 24, (0, 3), (3, 1)), "repeated": view(storage, 2, (5, 2), (0, 1))})
    for name, expected in {"whole": VALUES, "turned": VALUES.transpose(2, 0, 1), "part": VALUES[1, 1:], "number": 5.0,
                           "none": np.empty((0, 3)), "repeated": np.tile([2.0, 3.0], (5, 1))}.items():
        assert found[name].shape == np.shape(expected), name
        np.testing.assert_array_equal(found[name], expected, name)
    assert np.shares_memory(found["whole"], found["turned"])
    assert not found["whole"].flags.writeable


def test_views_of_storages_of_before_torch_1(read):
    whole = VALUES.ravel()
    found = read([tensor(whole, sizes=(2, 2), strides=(2, 1), offset=1, view=("8", 10, 6), function="_rebuild_tensor"),
                  tensor(whole, sizes=(24,), strides=(1,), view=None)])
    np.testing.assert_array_equal(found[0], [[11, 12], [13, 14]])
    np.testing.assert_array_equal(found[1], whole)


def test_parameters_and_tensors_of_a_class(read):
    plain = tensor(VALUES)
    parameter = Call(Name("torch._utils", "_rebuild_parameter"), (plain, True, {}))
    of_a_class = Call(Name("torch._tensor", "_rebuild_from_type_v2"),
                      (plain.function, Name("somewhere", "Tensor"), plain.arguments, {"tag": 1}))
    for found in read([parameter, of_a_class]):
        np.testing.assert_array_equal(found, VALUES)


def test_classes_of_classes_without_end(tmp_path):
    data = (b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\nq\x000)" + b"q\x010(h\x00Nh\x01Nt" * 20_000
            + b"q\x010h\x00h\x01R.")
    (tmp_path / "a.pth").write_bytes(legacy({}, data=data))
    with pytest.raises(UserError, match="a tensor of a class of a class"):
        read_weight_file(tmp_path / "a.pth")


def test_what_stands_beside_the_tensors(read):
    fortran, swapped = np.asfortranarray(VALUES[0].astype(np.float64)), np.arange(3, dtype=">i4")
    dtype = Call(Name("numpy", "dtype"), ("f8", 0, 1), (3, "<", None, None, None, -1, -1, 0))
    python_2 = Call(Name("numpy.core.multiarray", "_reconstruct"), (Name("numpy", "ndarray"), (0,), b"b"),
                    (1, (2,), dtype, False, np.array([0.5, 200.0]).tobytes().decode("latin1")))
    meta = collections.OrderedDict(mean=fortran, swapped=swapped, number=np.float64(2.5), words=np.array(["a", "bc"]),
                                   old=python_2, twice=fortran)
    found = read({"state_dict": {"a": tensor(VALUES)}, "meta": meta, "epoch": 3,
                  "args": Call(Name("argparse", "Namespace"), (), {"lr": 0.1}),
                  "size": Call(Name("torch", "Size"), ((2, 3),)), "pca": Call(Name("sklearn.decomposition.pca", "PCA"))})
    np.testing.assert_array_equal(found["meta"]["mean"], fortran)
    assert found["meta"]["twice"] is found["meta"]["mean"]
    np.testing.assert_array_equal(found["meta"]["swapped"], [0, 1, 2])
    assert found["meta"]["swapped"].dtype.isnative
    np.testing.assert_array_equal(found["meta"]["words"], ["a", "bc"])
    np.testing.assert_array_equal(found["meta"]["old"], [0.5, 200.0])
    assert (found["meta"]["number"], found["epoch"], found["size"]) == (2.5, 3, (2, 3))
    assert isinstance(found["args"], Record)
    assert (found["args"].name, found["args"].state) == ("argparse.Namespace", {"lr": 0.1})
    assert found["pca"].name == "sklearn.decomposition.pca.PCA"


WRONG_TENSORS = {
    "past the end": {"offset": 1}, "past the end by its strides": {"strides": (12, 4, 2)},
    "negative offset": {"offset": -1}, "negative size": {"sizes": (2, -3, 4)}, "negative stride": {"strides": (12, -4, 1)},
    "two strides": {"strides": (4, 1)},
    "a size that is no number": {"sizes": (2, 3, "4")},
    "a size of 80 bits": {"sizes": (2**80, 3, 4)}, "33 dimensions": {"sizes": (1,) * 33, "strides": (0,) * 33},
    "a storage of another count": {"count": 23}, "a negative count": {"count": -24},
    "a count that does not fit a file": {"count": 2**62}, "an unknown class": {"name": Name("torch", "QInt8Storage")},
    "a class of another package": {"name": Name("mine", "FloatStorage")},
    "a terabyte of one number": {"sizes": (2**40,), "strides": (0,)}, "a view past its storage": {"view": ("v", 20, 6)},
    "a view of a negative size": {"view": ("v", 6, -6)}, "a view that is no tuple": {"view": 7}}


@pytest.mark.parametrize("name", WRONG_TENSORS)
def test_wrong_tensors(read, name):
    with pytest.raises(UserError, match=r"a weight file of torch or safetensors at .*file\.pth"):
        read({"a": tensor(VALUES, **WRONG_TENSORS[name])})


def test_a_storage_as_two_things(read):
    with pytest.raises(UserError, match="the storage '0' as 24 float32 and as 24 int32"):
        read([tensor(VALUES), tensor(VALUES.view(np.int32))])


LEGACY = {
    "big-endian": {"facts": {"little_endian": False}}, "facts that are no dict": {"facts": []},
    "bytes behind": {"behind": b"x"},
    "a key too many": {"keys": ["0", "1"]}, "a key twice": {"keys": ["0", "0"]}, "no key": {"keys": []},
    "keys that are numbers": {"keys": [0]}, "another count": {"counts": {"0": 23}},
    "a negative count": {"counts": {"0": -1}}}


@pytest.mark.parametrize("name", LEGACY)
def test_wrong_legacy_files(tmp_path, name):
    (tmp_path / "a.pth").write_bytes(legacy({"a": tensor(VALUES)}, **LEGACY[name]))
    with pytest.raises(UserError, match=r"a\.pth"):
        read_weight_file(tmp_path / "a.pth")


ZIPS = {
    "big-endian": {"byteorder": b"big"}, "compressed": {"compression": zipfile.ZIP_DEFLATED},
    "no storage": {"storages": {}},
    "a short storage": {"storages": {"0": VALUES[0]}}, "a long storage": {"storages": {"0": np.tile(VALUES, 2)}},
    "no object": {"folder": "a/b"}}


@pytest.mark.parametrize("name", ZIPS)
def test_wrong_zip_files(tmp_path, name):
    (tmp_path / "a.pth").write_bytes(zipped({"a": tensor(VALUES)}, **ZIPS[name]))
    with pytest.raises(UserError, match=r"a\.pth"):
        read_weight_file(tmp_path / "a.pth")


def test_a_zip_file_of_before_the_byte_order_was_written(tmp_path):
    (tmp_path / "a.pth").write_bytes(zipped({"a": tensor(VALUES)}, byteorder=None))
    np.testing.assert_array_equal(read_weight_file(tmp_path / "a.pth")["a"], VALUES)


def small_file(form):
    return FORMS[form](collections.OrderedDict(
        a=tensor(VALUES[0]), m=np.arange(2.0), n=Call(Name("argparse", "Namespace"), (), {"lr": 0.1})))


def fuzzed(path, versions):
    """Reads every version of a file: a UserError or an object, within a second."""
    slowest = refused = 0
    for data in versions:
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            read_weight_file(path)
        except UserError:  # every other exception fails the test
            refused += 1
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 1
    return refused


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMS)
def test_every_cut_is_refused(tmp_path, form, step):
    data = small_file(form)
    lengths = range(0, len(data), step)
    assert fuzzed(tmp_path / "a.pth", (data[:length] for length in lengths)) == len(lengths)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_byte_flipped(tmp_path, form):
    data = small_file(form)
    for mask in (0xFF, 0x01, 0x80, 0x20):
        versions = (data[:place] + bytes([data[place] ^ mask]) + data[place + 1:] for place in range(len(data)))
        assert fuzzed(tmp_path / "a.pth", versions) > len(data) / 4


@pytest.mark.parametrize("data", [b"c" + b"a" * 2**16, b"X\xff\xff\x0f\x00" + b"a" * 2**16, b"V" + b"a" * 2**16])
def test_limits_of_a_pickle(tmp_path, monkeypatch, data):
    """What is too long is refused before it is copied."""
    for name, limit in (("MAX_PICKLE", 2**15), ("MAX_LINE", 2**14)):
        monkeypatch.setattr(f"landmark_zoo.backbones.weight_files.torch_files.{name}", limit)
    for form in FORMS.values():
        (tmp_path / "a.pth").write_bytes(form({"a": tensor(VALUES)}, data=b"\x80\x02" + data + b"\n."))
        with pytest.raises(UserError, match=r"cut or too large|a line without an end"):
            read_weight_file(tmp_path / "a.pth")


def test_a_pickle_alone_is_no_weight_file(tmp_path):
    for data in (pickle.dumps({"a": 1}, 2), pickled({"a": tensor(VALUES)})[0], b"", b"text", b"PK\x03\x04" * 10):
        (tmp_path / "a.pth").write_bytes(data)
        with pytest.raises(UserError, match=r"a\.pth"):
            read_weight_file(tmp_path / "a.pth")
