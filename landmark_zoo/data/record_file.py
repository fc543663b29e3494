"""One TFRecord file, whole or absent."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import sha256


def write_record_file(path: str | Path, records: Iterable[bytes]) -> tuple[int, int, str]:
    """Writes records under a temporary name and renames the file when all are on the disk.

    Args:
        path: Where the file shall be; its folder must exist.
        records: Taken one at a time.

    Returns:
        The number of records, the file's size in bytes and its SHA-256.

    Raises:
        OSError: The disk is full (ENOSPC).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp")
    count = 0
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in records:
                writer.write(record)
                count += 1
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        facts = count, temporary.stat().st_size, sha256(temporary)
        os.replace(temporary, path)
    except tf.errors.ResourceExhaustedError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return facts
