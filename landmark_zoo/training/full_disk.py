"""A full disk while a run is written down."""

import contextlib
import errno
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def naming_full_disk(what: str) -> Iterator[None]:
    """Turns what TensorFlow and Python say of a full disk into the OSError that `core.script` ends with one line for.

    Args:
        what: What could not be written.

    Raises:
        OSError: ENOSPC or EDQUOT, with `what` as file name.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if "No space left" not in str(error) and "quota exceeded" not in str(error):
            raise
        raise OSError(errno.ENOSPC, "No space left on device", what) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename:
            raise
        raise OSError(error.errno, error.strerror, what) from error
