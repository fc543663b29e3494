"""Reader of pickles of plain data that never runs the unpickler."""

import os
import stat
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.pickles import OpcodeError, PlainPickle

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
