"""Notices: what a command passed over, said once at its end."""

import contextlib
from collections.abc import Iterator

from absl import logging

from landmark_zoo.core.errors import printable

_WAITING: list[dict[str, None]] = []  # one entry while a command runs


def notify(line: str) -> None:
    """Says at the end of the running command what its user should know; outside of a command, at once.

    Equal lines are said once.
    """
    if _WAITING:
        _WAITING[0][line] = None
    else:
        logging.warning("%s", printable(line))


@contextlib.contextmanager
def said_at_end() -> Iterator[None]:
    """Keeps the lines of `notify` until the outermost block ends, with an error or without."""
    if _WAITING:
        yield
        return
    _WAITING.append({})
    try:
        yield
    finally:
        for line in _WAITING.pop():
            notify(line)
