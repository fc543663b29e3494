"""Places to write to, looked at before the work."""

import os
import stat
import tempfile
from pathlib import Path

from landmark_zoo.core.errors import UserError

_MAX_PATH = 3800  # bytes, of Linux's 4,096: names of files below follow


def check_output(path: str | Path, flag: str = "output", file: bool = False) -> None:
    """Checks, before the work, that a place can be written to; a nameless file is made there for a moment, and no folder.

    Args:
        path: Path of a file or folder that need not exist.
        flag: Flag that names it, without dashes, for the message.
        file: True for a file, False for a folder.

    Raises:
        UserError: Nothing, a file for a folder or the other way round, below a file, too long a name, or no right to write.
    """
    kind = "file" if file else "folder"
    try:
        problem = _output_problem(Path(os.path.abspath(path)), file) if str(path).strip() else (
            "nothing, which stands for the current folder, one that exists")
    except (OSError, ValueError) as error:
        problem = (getattr(error, "strerror", None) or str(error)).lower()
    if problem:
        raise UserError(f"a {kind} that can be written at --{flag}={path}", problem,
                        f"Choose another --{flag}, or mend the rights of this one.")


def _output_problem(path: Path, file: bool) -> str | None:
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    mode = there.stat().st_mode
    if there == path and file and not stat.S_ISREG(mode):
        return "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
    if not stat.S_ISDIR(mode) and not (there == path and file):
        return "a file" if there == path else f"a place below the file {there}"
    with tempfile.TemporaryFile(dir=there.parent if there == path and file else there):
        longest = max(len(os.fsencode(part)) for part in path.parts)
        fits = "\0" not in str(path) and longest <= os.pathconf(there, "PC_NAME_MAX") and len(os.fsencode(path)) <= _MAX_PATH
        return None if fits else "too long a name, or a null character"
