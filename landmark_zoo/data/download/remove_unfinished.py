"""What a killed run leaves of files that were being written."""

import os
from pathlib import Path


def remove_unfinished(folder: Path) -> None:
    """Removes the temporary files of `core.files.atomic_write` (`.<name>.<random>.tmp`) from a folder, not from those below.

    Only for a folder that no other process writes to.
    """
    if folder.is_dir():
        for name in os.listdir(folder):
            if name.startswith(".") and name.endswith(".tmp"):
                (folder / name).unlink()
