"""Reader of pickles of plain data that never runs the unpickler."""

import os
import pickletools
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError

MAX_BYTES, MAX_OPCODES, MAX_DEPTH = 2**28, 10_000_000, 100
MAX_INT_BITS = 4096
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE",
            "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}


def read_plain_pickle(path: str | Path) -> Any:
    """Returns the dicts, lists, tuples, strings and numbers of a pickle file, such as a revisited ground truth.

    `pickletools.genops` only splits the file into opcodes, and this interpreter knows those that build plain data.
    Every other one (GLOBAL, REDUCE, INST, OBJ, BUILD, NEWOBJ, EXT, PERSID, ...: all that could import or call
    something) ends the reading.

    Time and memory are linear in the file's size, and so they are for whoever walks the result: keys are strings (others
    could be chosen to collide, and tuples hash all that is in them), objects that are referred to many times count as
    often, and nothing lies in itself.

    Raises:
        UserError: No such file, a broken one, one past the limits (256 MiB, also with shared objects written out; 10
            million opcodes; 100 levels), or one with an opcode that is not plain data, named with its position.
    """
    try:
        return _interpret(_read(path), path)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f"a readable pickle at {path}", f"{type(error).__name__}: {str(error)[:200]}",
                        "Download it again, or use the .json form.") from error


def _read(path: str | Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_BYTES:
            raise ValueError(f"no regular file of at most {MAX_BYTES:,} bytes")
        return file.read()


def _interpret(data: bytes, path: str | Path) -> Any:
    """Interprets opcodes; `stacks` has the objects of each open mark in a list of their own, as the unpickler has."""
    stacks: list[list[Any]] = [[]]
    memo: dict[int, Any] = {}
    for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if count >= MAX_OPCODES:
            raise ValueError(f"more than {MAX_OPCODES:,} opcodes")
        if name in _LITERALS:
            if isinstance(argument, int) and argument.bit_length() > MAX_INT_BITS:
                raise ValueError(f"a number of {argument.bit_length():,} bits at byte {position}")
            stacks[-1].append(argument)
        elif name in _CONSTANTS:
            stacks[-1].append(_CONSTANTS[name])
        elif name == "MARK":
            stacks.append([])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            if not 0 <= argument <= len(data):
                raise ValueError(f"object number {str(argument)[:20]} in {len(data):,} bytes")
            memo[argument] = stacks[-1][-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stacks[-1][-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stacks[-1].append(memo[argument])
        elif name in _BUILDERS:
            _BUILDERS[name](stacks)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise UserError(f"a pickle of plain data at {path}", f"{name} at byte {position}, which could call code",
                            "Do not trust this file; use the .json form.")
    if len(stacks) != 1 or len(stacks[0]) != 1:
        raise ValueError(f"{sum(map(len, stacks))} objects and {len(stacks) - 1} marks left over")
    _check_unfolded(stacks[0][0])
    return stacks[0][0]


def _check_unfolded(root: Any) -> None:
    """Refuses what would be too large or too deep with every shared object written out where it is referred to."""
    measured: dict[int, tuple[int, int]] = {}  # characters and levels of each object
    open_objects: set[int] = set()
    todo = [root]
    while todo:
        each = todo[-1]
        if id(each) in measured:
            todo.pop()
            continue
        inner = [part for part in _parts(each) if _is_nested(part)]
        if id(each) not in open_objects:
            open_objects.add(id(each))
            if any(id(part) in open_objects for part in inner):
                raise ValueError("an object inside itself")
            todo += (part for part in inner if id(part) not in measured)
            continue
        todo.pop()
        open_objects.remove(id(each))
        size = 1 + sum(measured[id(part)][0] if _is_nested(part) else 1 + len(part) if isinstance(part, str) else 1
                       for part in _parts(each))
        depth = 1 + max((measured[id(part)][1] for part in inner), default=0)
        if size > MAX_BYTES or depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_BYTES:,} characters with shared objects written out" if size > MAX_BYTES else
                             f"objects nested more than {MAX_DEPTH} deep")
        measured[id(each)] = size, depth


def _is_nested(part: Any) -> bool:
    return bool(part) and isinstance(part, (dict, list, tuple))


def _parts(each: Any) -> Iterator[Any]:
    if isinstance(each, dict):
        yield from each  # keys
        yield from each.values()
    elif isinstance(each, (list, tuple)):
        yield from each


def _since_mark(stacks: list[list]) -> list:
    if len(stacks) < 2:
        raise ValueError("no mark")
    return stacks.pop()


def _tuple(stacks: list[list], size: int) -> None:
    items = tuple(stacks[-1][-size:])
    if len(items) < size:
        raise ValueError("too few objects for a tuple")
    stacks[-1][-size:] = [items]


def _extend(stack: list, items: list) -> None:
    if not isinstance(stack[-1], list):
        raise TypeError(f"append to {type(stack[-1]).__name__}")
    stack[-1].extend(items)


def _update(stack: list, items: list) -> None:
    if not isinstance(stack[-1], dict) or len(items) % 2:
        raise TypeError(f"{len(items)} keys and values for {type(stack[-1]).__name__}")
    if not all(isinstance(key, str) for key in items[::2]):
        raise TypeError("a key that is no string")
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


_BUILDERS = {
    "EMPTY_DICT": lambda stacks: stacks[-1].append({}),
    "EMPTY_LIST": lambda stacks: stacks[-1].append([]),
    "EMPTY_TUPLE": lambda stacks: stacks[-1].append(()),
    "LIST": lambda stacks: (items := _since_mark(stacks), stacks[-1].append(items)),
    "DICT": lambda stacks: (items := _since_mark(stacks), stacks[-1].append({}), _update(stacks[-1], items)),
    "TUPLE": lambda stacks: (items := _since_mark(stacks), stacks[-1].append(tuple(items))),
    "TUPLE1": lambda stacks: _tuple(stacks, 1),
    "TUPLE2": lambda stacks: _tuple(stacks, 2),
    "TUPLE3": lambda stacks: _tuple(stacks, 3),
    "APPEND": lambda stacks: (item := stacks[-1].pop(), _extend(stacks[-1], [item])),
    "APPENDS": lambda stacks: (items := _since_mark(stacks), _extend(stacks[-1], items)),
    "SETITEM": lambda stacks: _update(stacks[-1], [stacks[-1].pop(-2), stacks[-1].pop()]),
    "SETITEMS": lambda stacks: (items := _since_mark(stacks), _update(stacks[-1], items)),
}
