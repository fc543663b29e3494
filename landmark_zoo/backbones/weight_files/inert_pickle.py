"""Interpreter of pickles of objects: numpy arrays are read, all other objects become inert records.

Nothing that a file names is imported or called. What the few known functions (`numpy.dtype`, `collections.OrderedDict`, ...)
would have returned is built here.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from landmark_zoo.core.pickles import PlainPickle

MAX_OPCODES, MAX_SIZE, MAX_NAME, MAX_DIMENSIONS = 1_000_000, 2**26, 256, 32
_DTYPE = re.compile(r"[?]|b1|[iu][1248]|f[248]|c8|c16|[SU][1-9]\d{0,5}")
_RUNNING_CODE = frozenset([
    "builtins", "__builtin__", "os", "posix", "nt", "sys", "subprocess", "importlib", "runpy", "pty", "socket",
    "shutil", "ctypes", "code", "codeop", "commands", "pickle", "_pickle", "cPickle", "marshal", "operator",
    "_operator", "webbrowser", "imp", "pdb", "pip"])
_PLAIN_BUILTINS = frozenset([
    "set", "frozenset", "list", "dict", "tuple", "int", "long", "float", "complex", "bool", "str", "unicode", "bytes",
    "bytearray", "object", "slice", "range", "xrange", "NoneType"])


@dataclasses.dataclass(frozen=True, slots=True)
class Global:
    """The name of a class or function; the class or function itself is not looked for.

    Attributes:
        name: Module and name, with a dot between them.
    """

    name: str


@dataclasses.dataclass(eq=False, slots=True)
class Record:
    """An object of a class that this reader does not know: what was written of it, nothing more.

    Attributes:
        name: Module and name of the class, or of the function that would have made the object.
        arguments: Arguments of that call.
        state: Attributes of the object, usually a dict.
        contents: Items that were appended to it, or keys and values that were entered, in turn.
    """

    name: str
    arguments: tuple = ()
    state: Any = None
    contents: list = dataclasses.field(default_factory=list)


class InertPickle(PlainPickle):
    """Reader of one pickle of any objects.

    Args:
        budget: Bytes that may be made beyond those of the file: decoded texts, converted arrays, copied lists.
    """

    literals = PlainPickle.literals | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}

    def __init__(self, budget: int):
        super().__init__(MAX_OPCODES, MAX_SIZE)
        self.budget = budget
        self._numbers: dict[int, list[int]] = {}  # of an array whose values have not come yet
        numpy_calls = {"multiarray._reconstruct": lambda *_: Record("numpy.ndarray"), "multiarray.scalar": self._scalar,
                       "numeric._frombuffer": self._from_buffer}
        self.calls: dict[str, Callable[..., Any]] = {
            "_codecs.encode": self._encode,
            "copy_reg._reconstructor": lambda function, *_: self.instance(function, ()),
            "copyreg._reconstructor": lambda function, *_: self.instance(function, ()),
            "collections.OrderedDict": self._ordered_dict,
            "collections.defaultdict": lambda factory=None, *_: {},
            **{f"numpy.{core}.{name}": call for core in ("core", "_core") for name, call in numpy_calls.items()},
        }

    def check_key(self, key: Any) -> None:
        plain = key is None or isinstance(key, (str, float, bool, bytes)) or (isinstance(key, int) and abs(key) < 2**63)
        if not plain:
            raise TypeError(f"a key that is a {type(key).__name__}")

    def parts(self, each: Any) -> Iterator[Any]:
        if isinstance(each, Record):
            yield from (each.arguments, each.state, each.contents)
        else:
            yield from super().parts(each)

    def is_nested(self, part: Any) -> bool:
        return isinstance(part, Record) or super().is_nested(part)

    def put(self, number: int) -> None:
        super().put(number)
        if isinstance(self.stack[-1], Record) and self.stack[-1].name == "numpy.ndarray":
            self._numbers.setdefault(id(self.stack[-1]), []).append(number)

    def extend(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], Record):
            self.stack[-1].contents.extend(items)
        else:
            super().extend(items)

    def update(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], Record):
            self.stack[-1].contents.extend(items)
        else:
            super().update(items)

    def fill(self, target: dict, items: list[Any]) -> None:
        before = len(target)
        super().fill(target, items)
        if len(target) != before + len(items) // 2:
            raise ValueError("a key that stands twice in a dict")

    def spend(self, size: int) -> None:
        """Takes bytes off the budget."""
        self.budget -= size
        if self.budget < 0:
            raise ValueError("objects that are larger than the file")

    def named(self, module: Any, name: Any) -> Global:
        """Returns what a module and a name stand for; a ValueError where it could run code."""
        if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > MAX_NAME:
            raise ValueError(f"a class without a name of at most {MAX_NAME} characters")
        plain = module in ("builtins", "__builtin__") and name in _PLAIN_BUILTINS
        if not plain and not _RUNNING_CODE.isdisjoint([module.split(".")[0], *name.split(".")[:-1]]):
            raise ValueError(f"{module}.{name}, which could run code (do not trust this file)")
        return Global(f"{module}.{name}")

    def call(self, function: Any, arguments: Any) -> Any:
        """Returns what a call of a known function would; a record of any other."""
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise TypeError(f"a call of a {type(function).__name__}")
        if function.name in self.calls:
            if len(arguments) > 16:
                raise TypeError(f"{len(arguments):,} arguments of {function.name}")
            return self.calls[function.name](*arguments)
        return Record(function.name, arguments)

    def instance(self, function: Any, arguments: Any) -> Record:
        """Returns the record of an object of a class."""
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise TypeError(f"an object of a {type(function).__name__}")
        return Record(function.name, arguments)

    def build(self, state: Any) -> None:
        """Gives the topmost object its state; an array takes the place of its record, in the memo too."""
        target = self.stack[-1]
        if not isinstance(target, Record):
            return  # attributes of a dict, such as the versions of torch's modules
        if target.name == "numpy.ndarray":
            array = self._array(state)
            for number in self._numbers.pop(id(target), []):
                if self.memo[number] is target:
                    self.memo[number] = array
            self.stack[-1] = array
        else:
            target.state = state

    def persistent(self, identity: Any) -> Any:
        """Returns the object that a file keeps outside of its pickle."""
        raise ValueError("an object outside of the pickle")

    def _encode(self, text: str, codec: str) -> bytes:
        if codec not in ("latin1", "latin-1"):
            raise ValueError("bytes in another codec than latin1")
        self.spend(len(text))
        return text.encode("latin1")

    def _ordered_dict(self, pairs: list | tuple = ()) -> dict:
        self.spend(len(pairs))
        made: dict = {}
        self.fill(made, [part for key, value in pairs for part in (key, value)])
        return made

    def _scalar(self, dtype: Record, data: str | bytes) -> Any:
        return self._values(_dtype(dtype), data, ())[()]

    def _from_buffer(self, data: bytes, dtype: Record, shape: tuple, order: str) -> np.ndarray:
        return self._values(_dtype(dtype), data, check_sizes(shape), "F" if order == "F" else "C")

    def _array(self, state: tuple) -> Any:
        """Makes the array of ndarray.__setstate__: (version,) shape, dtype, whether in Fortran's order, values."""
        shape, dtype, fortran, data = state[-4:]
        if isinstance(data, list):  # an array of objects
            return Record("numpy.ndarray", (shape,), None, data)
        return self._values(_dtype(dtype), data, check_sizes(shape), "F" if fortran else "C")

    def _values(self, dtype: np.dtype, data: str | bytes, shape: tuple, order: str = "C") -> np.ndarray:
        if isinstance(data, str):  # text of Python 2
            self.spend(len(data))
            data = data.encode("latin1")
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{len(data):,} bytes for an array of {dtype} {list(shape)}")
        values = np.frombuffer(data, dtype).reshape(shape, order=order) if data else np.empty(shape, dtype)
        if not dtype.isnative:
            self.spend(len(data))
            values = values.astype(dtype.newbyteorder("="))
        return values


def _dtype(record: Record) -> np.dtype:
    """Returns the type that a record of `numpy.dtype` describes, numbers and texts of one length only."""
    if not isinstance(record, Record) or record.name != "numpy.dtype":
        raise TypeError("an array without a dtype")
    code, state = record.arguments[0], record.state
    if not isinstance(code, str) or len(code) > 8 or not _DTYPE.fullmatch(code):
        raise TypeError(f"an array of {code!r:.40}" if isinstance(code, str) else "an array without a dtype")
    dtype = np.dtype(code)
    if state is None:
        return dtype
    order, parts = state[1], state[2:5]
    if order not in ("<", ">", "|", "=") or any(part is not None for part in parts):
        raise TypeError("an array of parts")
    return dtype.newbyteorder(order)


def check_sizes(sizes: Any) -> tuple[int, ...]:
    """Returns a shape or strides: at most 32 whole numbers from 0 up."""
    if not isinstance(sizes, (tuple, list)) or len(sizes) > MAX_DIMENSIONS:
        raise TypeError("a shape that is no short tuple")
    if not all(type(size) is int for size in sizes):
        raise TypeError("a shape that is not of whole numbers")
    if not all(0 <= size < 2**63 for size in sizes):
        raise ValueError(f"{tuple(sizes)!r:.60} as sizes or places")
    return tuple(sizes)


def _inst(reader: InertPickle, names: str) -> None:
    items = tuple(reader.since_mark())
    reader.stack.append(reader.instance(reader.named(*names.split(" ", 1)), items))


def _obj(reader: InertPickle, _: None) -> None:
    function, *items = reader.since_mark()
    reader.stack.append(reader.instance(function, tuple(items)))


def _two(reader: InertPickle, make: Callable[[Any, Any], Any]) -> None:
    second, first = reader.stack.pop(), reader.stack.pop()
    reader.stack.append(make(first, second))


def _newobj_ex(reader: InertPickle, _: None) -> None:
    named, arguments, function = reader.stack.pop(), reader.stack.pop(), reader.stack.pop()
    reader.stack.append(reader.instance(function, (arguments, named)))


InertPickle.builders = PlainPickle.builders | {
    "GLOBAL": lambda reader, names: reader.stack.append(reader.named(*names.split(" ", 1))),
    "STACK_GLOBAL": lambda reader, _: _two(reader, reader.named),
    "REDUCE": lambda reader, _: _two(reader, reader.call),
    "NEWOBJ": lambda reader, _: _two(reader, reader.instance),
    "NEWOBJ_EX": _newobj_ex,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": lambda reader, _: reader.build(reader.stack.pop()),
    "PERSID": lambda reader, identity: reader.stack.append(reader.persistent(identity)),
    "BINPERSID": lambda reader, _: reader.stack.append(reader.persistent(reader.stack.pop())),
    "EMPTY_SET": lambda reader, _: reader.stack.append(Record("builtins.set")),
    "ADDITEMS": lambda reader, _: (items := reader.since_mark(), reader.extend(items)),
    "FROZENSET": lambda reader, _: (items := reader.since_mark(),
                                    reader.stack.append(Record("builtins.frozenset", (), None, items))),
    "POP": lambda reader, _: reader.stack.pop() if reader.stack else reader.since_mark(),
    "POP_MARK": lambda reader, _: reader.since_mark(),
    "DUP": lambda reader, _: reader.stack.append(reader.stack[-1]),
}
