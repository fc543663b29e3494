"""Reads pickles that hold plain data, without the unpickler."""

import pickletools
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE",
            "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
_MARK = object()


def read_plain_pickle(path: str | Path) -> Any:
    """Returns the dicts, lists, tuples, strings and numbers of a pickle file, such as the revisited ground truth.

    `pickletools.genops` only splits the file into opcodes, and this interpreter knows those that build plain data.
    Every other one (GLOBAL, REDUCE, INST, OBJ, BUILD, NEWOBJ, EXT, PERSID, ...: all that could import or call
    something) ends the reading.

    Raises:
        UserError: No such file, a broken one, or one with an opcode that is not plain data, named with its position.
    """
    try:
        return _interpret(Path(path).read_bytes(), path)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f"a readable pickle at {path}", f"{type(error).__name__}: {error}",
                        "Download it again, or use the .json form.") from error


def _interpret(data: bytes, path: str | Path) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, position in pickletools.genops(data):
        name = opcode.name
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in _BUILDERS:
            _BUILDERS[name](stack)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise UserError(f"a pickle of plain data at {path}", f"{name} at byte {position}, which could call code",
                            "Do not trust this file; use the .json form.")
    if len(stack) != 1 or stack[0] is _MARK:
        raise ValueError(f"{len(stack)} objects left over")
    return stack[0]


def _since_mark(stack: list) -> list:
    start = len(stack) - 1 - stack[::-1].index(_MARK)
    items = stack[start + 1:]
    del stack[start:]
    return items


def _tuple(stack: list, size: int) -> None:
    items = tuple(stack[-size:])
    if len(items) < size:
        raise ValueError("too few objects for a tuple")
    stack[-size:] = [items]


def _extend(stack: list, items: list) -> None:
    if not isinstance(stack[-1], list):
        raise TypeError(f"append to {type(stack[-1]).__name__}")
    stack[-1].extend(items)


def _update(stack: list, items: list) -> None:
    if not isinstance(stack[-1], dict) or len(items) % 2:
        raise TypeError(f"{len(items)} keys and values for {type(stack[-1]).__name__}")
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


_BUILDERS = {
    "EMPTY_DICT": lambda stack: stack.append({}),
    "EMPTY_LIST": lambda stack: stack.append([]),
    "EMPTY_TUPLE": lambda stack: stack.append(()),
    "LIST": lambda stack: stack.append(_since_mark(stack)),
    "DICT": lambda stack: (items := _since_mark(stack), stack.append({}), _update(stack, items)),
    "TUPLE": lambda stack: stack.append(tuple(_since_mark(stack))),
    "TUPLE1": lambda stack: _tuple(stack, 1),
    "TUPLE2": lambda stack: _tuple(stack, 2),
    "TUPLE3": lambda stack: _tuple(stack, 3),
    "APPEND": lambda stack: _extend(stack, [stack.pop()]),
    "APPENDS": lambda stack: _extend(stack, _since_mark(stack)),
    "SETITEM": lambda stack: _update(stack, [stack.pop(-2), stack.pop()]),
    "SETITEMS": lambda stack: _update(stack, _since_mark(stack)),
}
