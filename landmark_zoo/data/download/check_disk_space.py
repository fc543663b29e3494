"""Is there room for what will come?"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.needed import Needed


def check_disk_space(wanted: Sequence[Needed], root: Path, at_once: int) -> int:
    """Compares the free space with what fetching and unpacking will need at most.

    An archive and what is unpacked from it are both there for a while; photographs take as much unpacked as packed. So
    the room for everything is needed, and besides that for `at_once` of the largest archives.

    Args:
        wanted: What is still to come.
        root: The data folder; need not exist.
        at_once: How many archives are worked on at the same time.

    Returns:
        The bytes needed.

    Raises:
        UserError: There are fewer.
    """
    archives = sorted((item.bytes for item in wanted if item.file.unpack_to is not None), reverse=True)
    plain = sum(item.bytes - item.here for item in wanted if item.file.unpack_to is None)
    bytes_needed = plain + sum(archives) + sum(archives[:at_once])
    existing = next(path for path in (root, *root.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    if free < bytes_needed:
        raise UserError(f"{bytes_needed / 1e9:,.1f} GB of free space in {root}", f"{free / 1e9:,.1f} GB",
                        "Free some, or choose another --data_dir.")
    return bytes_needed
