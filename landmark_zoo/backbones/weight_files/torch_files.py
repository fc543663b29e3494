"""Files of `torch.save`, read without torch: its legacy form (to torch 1.5) and its zip form.

Legacy: five pickles one after another (a magic number, 1001, facts of the writer, the object, the keys of its storages),
then for each key a count (int64) and the values. Zip: `<name>/data.pkl` and one stored entry `<name>/data/<key>` per
storage. In both a tensor is (storage, offset, sizes, strides): a view of values that it may share with others. Source of the
layout: torch/serialization.py and torch/_utils.py; held against files that torch 2.13 writes.
"""

import dataclasses
import mmap
import struct
from typing import Any

import numpy as np

from landmark_zoo.backbones.weight_files.inert_pickle import Global, InertPickle, check_sizes
from landmark_zoo.backbones.weight_files.stored_zip import stored_entries

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
LEGACY_START, ZIP_START = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little"), b"PK\x03\x04"
BFLOAT16 = "bfloat16"
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": BFLOAT16,
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "BoolStorage": "bool", "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8"}
_V3_DTYPES = {*_STORAGES.values(), "uint16", "uint32", "uint64"}
_EXPANDED = 2**20  # values that a tensor of repeated ones may have beyond its storage
MAX_PICKLE, MAX_LINE = 2**28, 2**20  # bytes


class PickleFile:
    """A part of a mapped file as `pickletools.genops` reads it, which copies no more than a pickle may have.

    Args:
        file: Mapped file, which stands where the part begins.
        size: Bytes of the part; None for those that a pickle may have.
    """

    def __init__(self, file: mmap.mmap, size: int | None = None):
        self._file = file
        self._end = file.tell() + min(MAX_PICKLE if size is None else size, MAX_PICKLE)

    def read(self, size: int) -> bytes:
        """Returns so many bytes; a ValueError past the part."""
        if size > self._end - self._file.tell():
            raise ValueError("a pickle that is cut or too large")
        return self._file.read(size)

    def readline(self) -> bytes:
        """Returns the bytes to the end of the line; a ValueError where it is far."""
        start = self._file.tell()
        found = self._file.find(b"\n", start, min(start + MAX_LINE, self._end))
        if found < 0:
            raise ValueError("a line without an end")
        return self._file.read(found + 1 - start)

    def tell(self) -> int:
        """Returns the place in the whole file."""
        return self._file.tell()


def item_size(dtype: str) -> int:
    """Returns the bytes of one value of a dtype."""
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def values_of(data: np.ndarray, dtype: str) -> np.ndarray:
    """Returns bytes as values, in place; bfloat16, which numpy lacks, as a copy in float32.

    Args:
        data: uint8 [N * size].
        dtype: A name of numpy's, or "bfloat16".

    Returns:
        [N].
    """
    if dtype == BFLOAT16:
        return (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return data.view(np.dtype(dtype).newbyteorder("<"))


@dataclasses.dataclass(eq=False, slots=True)
class Storage:
    """Values that tensors are views of.

    Attributes:
        dtype: Name of their type.
        count: Number of values.
        values: [count]; None while their place in the file is not known.
        root: The storage of which this one is a part, and its first value there; None for a whole one.
    """

    dtype: str
    count: int
    values: np.ndarray | None = None
    root: tuple["Storage", int] | None = None


class TorchPickle(InertPickle):
    """Reader of the pickle of `torch.save`; tensors become arrays, of one place each in the file.

    Args:
        budget: See `InertPickle`.
        entries: From a storage's key to its bytes; None where they are not known yet: tensors are checked, but None.
    """

    def __init__(self, budget: int, entries: dict[str, np.ndarray] | None):
        super().__init__(budget)
        self.entries = entries
        self.storages: dict[str, Storage] = {}
        self.calls |= {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_v3,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            "torch._utils._rebuild_parameter_with_state": lambda tensor, *_: tensor,
            "torch._tensor._rebuild_from_type_v2": self._tensor_of_a_class,
            "torch.Size": lambda sizes=(): check_sizes(sizes),
        }

    def persistent(self, identity: Any) -> Any:
        """Returns the storage of ("storage", class, key, device, count[, view]); the device has no effect."""
        if not isinstance(identity, tuple) or not 2 <= len(identity) <= 6:
            raise TypeError("an object outside of the pickle")
        if identity[0] == "module":
            return identity[1]
        kind, storage_class, key, _, count, *view = identity
        if kind != "storage" or not isinstance(storage_class, Global) or not isinstance(key, str):
            raise TypeError("an object outside of the pickle that is no storage")
        dtype = _STORAGES.get(storage_class.name.rsplit(".", 1)[-1])
        if dtype is None or not storage_class.name.startswith("torch."):
            raise TypeError(f"a storage of {storage_class.name:.60}")
        (count,) = check_sizes((count,))
        known = self.storages.get(key)
        if known is None:
            known = self.storages[key] = Storage(dtype, count, self._located(key, dtype, count))
        elif (known.dtype, known.count) != (dtype, count):
            raise ValueError(f"the storage {key!r:.40} as {known.count:,} {known.dtype} and as {count:,} {dtype}")
        return self._view(known, view[0]) if view and view[0] is not None else known

    def _located(self, key: str, dtype: str, count: int) -> np.ndarray | None:
        if self.entries is None:
            return None
        if key not in self.entries:
            raise ValueError(f"no storage {key!r:.40} in the file")
        if len(self.entries[key]) != count * item_size(dtype):
            raise ValueError(f"{len(self.entries[key]):,} bytes for {count:,} {dtype} of the storage {key!r:.40}")
        if dtype == BFLOAT16:
            self.spend(count)
        return values_of(self.entries[key], dtype)

    def _view(self, storage: Storage, view: Any) -> Storage:
        _, offset, size = view
        check_sizes((offset, size))
        if offset + size > storage.count:
            raise ValueError(f"a view of values {offset:,} to {offset + size:,} of {storage.count:,}")
        part = None if storage.values is None else storage.values[offset:offset + size]
        return Storage(storage.dtype, size, part, (storage, offset))

    def _tensor(self, storage: Storage, offset: int, sizes: tuple, strides: tuple, *_: Any) -> np.ndarray | None:
        if not isinstance(storage, Storage):
            raise TypeError("a tensor without its storage")
        return strided(storage, offset, check_sizes(sizes), check_sizes(strides))

    def _tensor_of_a_class(self, function: Global, kind: Any, arguments: tuple, state: Any) -> Any:
        if function.name == "torch._tensor._rebuild_from_type_v2":
            raise ValueError("a tensor of a class of a class")
        return self.call(function, arguments)

    def _tensor_v3(self, storage: Storage, offset: int, sizes: tuple, strides: tuple, gradient: bool, hooks: Any,
                   dtype: Global, *_: Any) -> np.ndarray | None:
        """Makes a tensor whose type stands beside its storage of bytes."""
        name = dtype.name.removeprefix("torch.")
        if not isinstance(storage, Storage) or storage.dtype != "uint8" or name not in _V3_DTYPES:
            raise TypeError(f"a tensor of {dtype.name:.60}")
        size = item_size(name)
        if storage.count % size:
            raise ValueError(f"{storage.count:,} bytes of {name}")
        if name == BFLOAT16:
            self.spend(storage.count)
        values = None if storage.values is None else values_of(storage.values, name)
        return self._tensor(Storage(name, storage.count // size, values), offset, sizes, strides)


def strided(storage: Storage, offset: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray | None:
    """Returns a tensor as a view of its storage, read-only.

    Args:
        storage: Values.
        offset: First value of the tensor.
        sizes: Shape.
        strides: Values from one index to the next, one for each dimension.

    Raises:
        ValueError: A tensor that goes past its storage, or that repeats values past measure.
    """
    check_sizes((offset,))
    if len(sizes) != len(strides):
        raise ValueError(f"{len(strides)} strides of a tensor of {len(sizes)} dimensions")
    number = 1
    for size in sizes:
        number *= size
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if number and last >= storage.count:
        raise ValueError(f"a tensor of values {offset:,} to {last:,} in a storage of {storage.count:,}")
    if number > max(storage.count, _EXPANDED):
        raise ValueError(f"a tensor of {number:,} values in a storage of {storage.count:,}")
    if storage.values is None:
        return None
    if not number:
        return np.empty(sizes, storage.values.dtype)
    size = storage.values.dtype.itemsize
    return np.ndarray(sizes, storage.values.dtype, storage.values[offset:], 0, [stride * size for stride in strides])


def read_legacy(file: mmap.mmap) -> Any:
    """Returns the object of a file in torch's legacy form; tensors are read-only views of the mapped file.

    Raises:
        ValueError and others: See `TorchPickle`; a file that was cut, or written on a big-endian machine.
    """
    data = np.frombuffer(file, np.uint8)
    file.seek(0)
    if (InertPickle(0).read(PickleFile(file)), InertPickle(0).read(PickleFile(file))) != (_MAGIC, _PROTOCOL):
        raise ValueError("another version of the format")
    facts = InertPickle(0).read(PickleFile(file))
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise ValueError("values of a big-endian machine")
    start = file.tell()
    reader = TorchPickle(len(data), None)
    reader.read(PickleFile(file))
    keys = InertPickle(0).read(PickleFile(file))
    if (not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys)
            or set(keys) != reader.storages.keys()):
        raise ValueError("a list of storages that is not that of its tensors")
    entries, position = {}, file.tell()
    for key in keys:
        storage = reader.storages[key]
        (count,), position = struct.unpack_from("<q", data, position), position + 8
        end = position + storage.count * item_size(storage.dtype)
        if count != storage.count or end > len(data):
            raise ValueError(f"{count:,} values of the storage {key!r:.40} instead of {storage.count:,}" if
                             count != storage.count else f"a file that ends before the storage {key!r:.40}")
        entries[key], position = data[position:end], end
    if position != len(data):
        raise ValueError(f"{len(data) - position:,} bytes behind the last storage")
    file.seek(start)
    return TorchPickle(len(data), entries).read(PickleFile(file))


def read_zip(file: mmap.mmap) -> Any:
    """Returns the object of a file in torch's zip form; see `read_legacy`."""
    data = np.frombuffer(file, np.uint8)
    places = stored_entries(memoryview(data))
    objects = [name for name in places if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(objects) != 1:
        raise ValueError(f"a zip archive with {len(objects)} data.pkl")
    folder = objects[0].removesuffix("data.pkl")
    begin, end = places.get(f"{folder}byteorder", (0, 0))
    if begin != end and bytes(data[begin:min(end, begin + 7)]) != b"little":
        raise ValueError("values of a big-endian machine")
    entries = {name.removeprefix(f"{folder}data/"): data[begin:end] for name, (begin, end) in places.items()
               if name.startswith(f"{folder}data/")}
    begin, end = places[objects[0]]
    file.seek(begin)
    return TorchPickle(len(data), entries).read(PickleFile(file, end - begin))
