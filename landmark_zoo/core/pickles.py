"""Interpreter of pickles that builds plain data and never runs the unpickler, and a reader of files with it."""

import os
import pickletools
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from landmark_zoo.core.errors import UserError

MAX_INT_BITS = 4096
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE",
             "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
_NESTED = (dict, list, tuple)


class OpcodeError(ValueError):
    """An opcode that is not of plain data, with its position in the file."""

    def __init__(self, name: str, position: int | None):
        super().__init__(f"{name} at byte {position}")


class PlainPickle:
    """Reader of one pickle of dicts, lists, tuples, strings and numbers.

    `pickletools.genops` only splits the file into opcodes, and this interpreter knows those that build plain data.
    A subclass gives more of them a meaning in `builders`; none of them may call what the file names.

    Time and memory are linear in the file's size, and so they are for whoever walks the result: keys are strings (others
    could be chosen to collide, and tuples hash all that is in them), objects that are referred to many times count as
    often, and nothing lies in itself.

    Args:
        max_opcodes: Largest number of opcodes.
        max_size: Largest number of objects and characters with shared objects written out.
        max_depth: Largest number of levels.

    Attributes:
        builders: From an opcode's name to a function of the reader and the opcode's argument.
        literals: Opcodes whose argument is the object.
    """

    builders: Mapping[str, Callable[["PlainPickle", Any], None]]
    literals = _LITERALS

    def __init__(self, max_opcodes: int, max_size: int, max_depth: int = 100):
        self.max_opcodes, self.max_size, self.max_depth = max_opcodes, max_size, max_depth
        self.stacks: list[list[Any]] = [[]]  # the objects of each open mark in a list of their own
        self.memo: dict[int, Any] = {}

    @property
    def stack(self) -> list[Any]:
        """The objects since the last open mark."""
        return self.stacks[-1]

    def read(self, file: bytes | IO[bytes]) -> Any:
        """Returns the object of the pickle that begins where `file` stands; afterwards it stands behind it.

        Raises:
            OpcodeError: An opcode that has no meaning here.
            ValueError, KeyError, IndexError, TypeError, AttributeError: A broken pickle, or one past the limits.
        """
        self.stacks, self.memo = [[]], {}
        for count, (opcode, argument, position) in enumerate(pickletools.genops(file)):
            name = opcode.name
            if count >= self.max_opcodes:
                raise ValueError(f"more than {self.max_opcodes:,} opcodes")
            if name in self.literals:
                if isinstance(argument, int) and argument.bit_length() > MAX_INT_BITS:
                    raise ValueError(f"a number of {argument.bit_length():,} bits at byte {position}")
                self.stack.append(argument)
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name in self.builders:
                self.builders[name](self, argument)
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise OpcodeError(name, position)
        if len(self.stacks) != 1 or len(self.stack) != 1:
            raise ValueError(f"{sum(map(len, self.stacks))} objects and {len(self.stacks) - 1} marks left over")
        self._check_unfolded(self.stack[0])
        return self.stack[0]

    def check_key(self, key: Any) -> None:
        """Raises a TypeError for what may not be the key of a dict."""
        if not isinstance(key, str):
            raise TypeError("a key that is no string")

    def parts(self, each: Any) -> Iterator[Any]:
        """Yields the objects that an object consists of."""
        if isinstance(each, dict):
            yield from each  # keys
            yield from each.values()
        elif isinstance(each, (list, tuple)):
            yield from each

    def is_nested(self, part: Any) -> bool:
        """Returns whether an object consists of others."""
        return isinstance(part, _NESTED) and bool(part)

    def put(self, number: int) -> None:
        """Notes the topmost object under a number."""
        if not 0 <= number <= self.max_opcodes:
            raise ValueError(f"object number {str(number)[:20]}")
        self.memo[number] = self.stack[-1]

    def since_mark(self) -> list[Any]:
        """Removes the last open mark and returns the objects behind it."""
        if len(self.stacks) < 2:
            raise ValueError("no mark")
        return self.stacks.pop()

    def tuple_of(self, size: int) -> None:
        """Puts a tuple in the place of the `size` topmost objects."""
        items = tuple(self.stack[-size:])
        if len(items) < size:
            raise ValueError("too few objects for a tuple")
        self.stack[-size:] = [items]

    def extend(self, items: list[Any]) -> None:
        """Appends objects to the topmost one."""
        if not isinstance(self.stack[-1], list):
            raise TypeError(f"append to {type(self.stack[-1]).__name__}")
        self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        """Enters keys and values, which alternate, in the topmost object."""
        if not isinstance(self.stack[-1], dict):
            raise TypeError(f"keys and values for {type(self.stack[-1]).__name__}")
        self.fill(self.stack[-1], items)

    def fill(self, target: dict, items: list[Any]) -> None:
        """Enters keys and values, which alternate, in a dict."""
        if len(items) % 2:
            raise TypeError("a key without its value")
        for key in items[::2]:
            self.check_key(key)
        target.update(zip(items[::2], items[1::2], strict=True))

    def _check_unfolded(self, root: Any) -> None:
        """Refuses what would be too large or too deep with every shared object written out where it is referred to."""
        measured: dict[int, tuple[int, int]] = {}  # characters and levels of each object
        open_objects: set[int] = set()
        todo = [root]
        while todo:
            each = todo[-1]
            if id(each) in measured:
                todo.pop()
                continue
            inner = [part for part in self.parts(each) if self.is_nested(part)]
            if id(each) not in open_objects:
                open_objects.add(id(each))
                if any(id(part) in open_objects for part in inner):
                    raise ValueError("an object inside itself")
                todo += (part for part in inner if id(part) not in measured)
                continue
            todo.pop()
            open_objects.remove(id(each))
            size = 1 + sum(measured[id(part)][0] if self.is_nested(part) else 1 + len(part) if isinstance(part, (str, bytes))
                           else 1 for part in self.parts(each))
            depth = 1 + max((measured[id(part)][1] for part in inner), default=0)
            if size > self.max_size or depth > self.max_depth:
                raise ValueError(
                    f"more than {self.max_size:,} characters with shared objects written out" if size > self.max_size else
                    f"objects nested more than {self.max_depth} deep")
            measured[id(each)] = size, depth


PlainPickle.builders = {
    "MARK": lambda reader, _: reader.stacks.append([]),
    "PUT": lambda reader, number: reader.put(number),
    "BINPUT": lambda reader, number: reader.put(number),
    "LONG_BINPUT": lambda reader, number: reader.put(number),
    "MEMOIZE": lambda reader, _: reader.put(len(reader.memo)),
    "GET": lambda reader, number: reader.stack.append(reader.memo[number]),
    "BINGET": lambda reader, number: reader.stack.append(reader.memo[number]),
    "LONG_BINGET": lambda reader, number: reader.stack.append(reader.memo[number]),
    "EMPTY_DICT": lambda reader, _: reader.stack.append({}),
    "EMPTY_LIST": lambda reader, _: reader.stack.append([]),
    "EMPTY_TUPLE": lambda reader, _: reader.stack.append(()),
    "LIST": lambda reader, _: (items := reader.since_mark(), reader.stack.append(items)),
    "DICT": lambda reader, _: (items := reader.since_mark(), reader.stack.append({}), reader.update(items)),
    "TUPLE": lambda reader, _: (items := reader.since_mark(), reader.stack.append(tuple(items))),
    "TUPLE1": lambda reader, _: reader.tuple_of(1),
    "TUPLE2": lambda reader, _: reader.tuple_of(2),
    "TUPLE3": lambda reader, _: reader.tuple_of(3),
    "APPEND": lambda reader, _: (item := reader.stack.pop(), reader.extend([item])),
    "APPENDS": lambda reader, _: (items := reader.since_mark(), reader.extend(items)),
    "SETITEM": lambda reader, _: reader.update([reader.stack.pop(-2), reader.stack.pop()]),
    "SETITEMS": lambda reader, _: (items := reader.since_mark(), reader.update(items)),
}


MAX_BYTES, MAX_OPCODES = 2**28, 10_000_000


def read_plain_pickle(path: str | Path) -> Any:
    """Returns the dicts, lists, tuples, strings and numbers of a pickle file, such as a revisited ground truth.

    Every opcode that could import or call something (GLOBAL, REDUCE, INST, OBJ, BUILD, NEWOBJ, EXT, PERSID, ...) ends the
    reading; see `core.pickles`.

    Raises:
        UserError: No such file, a broken one, one past the limits (256 MiB, also with shared objects written out; 10
            million opcodes; 100 levels), or one with an opcode that is not plain data, named with its position.
    """
    try:
        return PlainPickle(MAX_OPCODES, MAX_BYTES).read(_read(path))
    except OpcodeError as error:
        raise UserError(f"a pickle of plain data at {path}", f"{error}, which could call code",
                        "Do not trust this file; use the .json form.") from error
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f"a readable pickle at {path}", f"{type(error).__name__}: {str(error)[:200]}",
                        "Download it again, or use the .json form.") from error


def _read(path: str | Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_BYTES:
            raise ValueError(f"no regular file of at most {MAX_BYTES:,} bytes")
        return file.read()
