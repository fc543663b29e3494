"""One run per working directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError


@contextlib.contextmanager
def lock_directory(path: str | Path) -> Iterator[None]:
    """Holds `path` for this process until the block ends; the lock dies with the process, however it dies.

    Raises:
        UserError: Another process holds the folder.
    """
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UserError(f"{path} to be free", f"a run that is using it ({holder})",
                            "Wait for it to end or choose another folder.") from error
        file.truncate(0)
        file.write(f"pid {os.getpid()} on {os.uname().nodename}")
        file.flush()
        yield
