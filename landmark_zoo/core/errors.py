"""UserError, the error that reaches a user as a single line, checks that raise it, notices of what a command passed over,
and text that a terminal may show."""

import contextlib
import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

MAX_SEED = 2**32 - 1  # the largest that numpy, TensorFlow and scikit-learn all take
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                      "\U000e0000-\U000e007f\ud800-\udfff]")


def printable(text: object, keep: str = "") -> str:
    r"""Returns text in which control characters are written as in a Python string: `\x1b`, `\n`, `\u202e`.

    Bytes of file names that are not UTF-8 are written as `\x80` to `\xff`. Names of files, ids and cells of tables come from
    strangers. Control characters among them move the cursor, change what stands on the screen already, turn the direction
    of writing, or add lines that a program seems to have printed.

    Example:
        >>> print(printable("taj\x1b[2K\rmahal"))
        taj\x1b[2K\rmahal

    Args:
        text: Anything; `str` of it is taken.
        keep: Control characters that stay, such as the line breaks of a table.
    """
    def written_out(found: re.Match) -> str:
        letter = found[0]
        if "\udc80" <= letter <= "\udcff":  # a byte of a file name that is not UTF-8
            return f"\\x{ord(letter) & 0xff:02x}"
        return letter if letter in keep else letter.encode("unicode_escape", "surrogatepass").decode("ascii")

    return _CONTROL.sub(written_out, str(text))


class UserError(Exception):
    """A mistake that the user can mend: what was expected, what was received, what to do.

    Scripts print it without a traceback and end with exit code 2 (`core.scripts.run`).

    Args:
        expected: Expected value or file, without a full stop.
        received: Value or file found instead.
        remedy: One imperative sentence.
    """

    def __init__(self, expected: str, received: str, remedy: str):
        self.expected, self.received, self.remedy = expected, received, remedy
        line = f"Expected {expected}; received {received}. {remedy}"
        super().__init__(printable(" ".join(line.split())))

    def __reduce__(self):
        return type(self), (self.expected, self.received, self.remedy)


def check_range(name: str, value: float, minimum: float | None = None, maximum: float | None = None) -> None:
    """Checks that a flag's value lies between two bounds, both included.

    Args:
        name: Flag without dashes, for the message.
        value: Number to check; NaN and infinity are never in range.
        minimum: Smallest value allowed; None for no lower bound.
        maximum: Largest value allowed; None for no upper bound.

    Raises:
        UserError: The value is out of range.

    Example:
        >>> check_range("epochs", 3, minimum=0)
        >>> check_range("label_smoothing", 1.5, 0, 1)
        Traceback (most recent call last):
        ...
        landmark_zoo.core.errors.UserError: Expected --label_smoothing from 0 to 1; received 1.5. Lower --label_smoothing.
    """
    below = minimum is not None and not value >= minimum
    above = value == math.inf or (maximum is not None and not value <= maximum)
    if below or above:
        bounds = (f"from {minimum} to {maximum}" if None not in (minimum, maximum) else
                  f">= {minimum}" if maximum is None else f"<= {maximum}")
        raise UserError(f"--{name} {bounds}", str(value), f"{'Raise' if below else 'Lower'} --{name}.")


def check_finite(config: Any) -> None:
    """Raises a `UserError` where a field of a dataclass of flags is NaN or infinite."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"a finite --{field.name}", str(value), f"Mend --{field.name}.")


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Raises a `UserError` where a flag's value is not among the names that it may have.

    Args:
        name: Flag without dashes, for the message.
        value: Name to check.
        choices: Names allowed.
    """
    choices = list(choices)
    if value not in choices:
        raise UserError(f"--{name} among {', '.join(choices)}", repr(value), "Choose one of them.")


_WAITING: list[dict[str, None]] = []  # one entry while a command runs


def notify(line: str) -> None:
    """Says at the end of the running command what its user should know; outside of a command, at once.

    Equal lines are said once.
    """
    from absl import logging  # which metrics, whose errors these are too, do without

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
