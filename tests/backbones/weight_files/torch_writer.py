"""Writer of both forms of `torch.save`, without torch: good files, and bad ones by changing what it is given."""

import dataclasses
import io
import pickle
import struct
import zipfile

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
FACTS = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
CLASSES = {"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage",
           "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
           "bool": "BoolStorage", "complex64": "ComplexFloatStorage"}


@dataclasses.dataclass(frozen=True)
class Name:
    """A class or function by name."""

    module: str
    name: str

    def __call__(self):  # pickle asks for something that can be called
        raise AssertionError("never called")


@dataclasses.dataclass(eq=False)
class Call:
    """What a call of `function` returns when unpickled; `state` is given to it."""

    function: Name
    arguments: tuple = ()
    state: object = None

    def __reduce__(self):
        return self.function, self.arguments, self.state


@dataclasses.dataclass(eq=False)
class Storage:
    """The values of tensors."""

    key: str
    values: np.ndarray
    name: Name | None = None
    count: int | None = None
    device: str = "cpu"
    view: tuple | None = None

    @property
    def identity(self):
        name = self.name or Name("torch", CLASSES[str(self.values.dtype)])
        return ("storage", name, self.key, self.device, self.values.size if self.count is None else self.count,
                *([self.view] if self.view else []))


def tensor(values, key="0", offset=0, sizes=None, strides=None, function="_rebuild_tensor_v2", **storage):
    """A tensor of an array, or the view that offset, sizes and strides describe of it."""
    values = np.asarray(values)
    sizes = values.shape if sizes is None else sizes
    strides = tuple(stride // values.itemsize for stride in values.strides) if strides is None else strides
    place = Storage(key, np.ravel(values), **storage)
    return view(place, offset, sizes, strides, function)


def view(storage, offset, sizes, strides, function="_rebuild_tensor_v2", *more):
    return Call(Name("torch._utils", function), (storage, offset, sizes, strides, False, {}, *more))


class _Pickler(pickle._Pickler):
    """Pickles names without looking for them."""

    def __init__(self, file):
        super().__init__(file, 2)
        self.storages = {}

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            self.storages.setdefault(obj.key, obj.values)
            return obj.identity
        return None

    def reducer_override(self, obj):
        return obj.name if isinstance(obj, Name) else NotImplemented

    def save_global(self, obj, name=None):
        if not isinstance(obj, Name):
            obj = Name(obj.__module__, obj.__qualname__)
        self.write(f"c{obj.module}\n{obj.name}\n".encode())


def pickled(obj):
    """Returns the pickle, and the storages by key."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(obj)
    return file.getvalue(), pickler.storages


def legacy(obj, facts=FACTS, keys=None, behind=b"", counts=None, data=None):
    """Returns the bytes of a file in the legacy form."""
    written, storages = pickled(obj)
    written = data or written
    parts = [pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, facts)]
    parts += [written, pickle.dumps(sorted(storages) if keys is None else keys, 2)]
    for key in sorted(storages):
        parts += [struct.pack("<q", (counts or {}).get(key, storages[key].size)), storages[key].tobytes()]
    return b"".join(parts) + behind


def zipped(obj, byteorder=b"little", data=None, storages=None, compression=zipfile.ZIP_STORED, folder="archive"):
    """Returns the bytes of a file in the zip form."""
    written, found = pickled(obj)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(f"{folder}/data.pkl", data or written)
        if byteorder is not None:
            archive.writestr(f"{folder}/byteorder", byteorder)
        for key, values in (found if storages is None else storages).items():
            archive.writestr(f"{folder}/data/{key}", values.tobytes())
        archive.writestr(f"{folder}/version", "3\n")
    return file.getvalue()


FORMS = {"legacy": legacy, "zip": zipped}
