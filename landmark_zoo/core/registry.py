"""Registry: a table from names to entries, with near names in its errors."""

import difflib
import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from landmark_zoo.core.errors import UserError

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """A table from name to entry in which a name can be given only once.

    Args:
        kind: Kind of the entries, for error messages: "backbone", "attention", ...

    Example:
        >>> colors = Registry("color")
        >>> colors.add("red10", 10), colors.add("red9", 9)
        (10, 9)
        >>> colors.list("red*"), colors["red9"]
        (['red9', 'red10'], 9)
        >>> colors["rde9"]
        Traceback (most recent call last):
        landmark_zoo.core.errors.UserError: Expected a known color; received 'rde9'. Use one of: red9.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> Entry:
        """Enters `entry` under `name`; a second entry of that name is a ValueError."""
        if name in self._entries:
            raise ValueError(f"Expected a new {self.kind} name; received {name!r}, which is {self._entries[name]!r}.")
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            near = difflib.get_close_matches(str(name), self._entries, n=3) or sorted(self._entries)
            raise UserError(f"a known {self.kind}", repr(name), f"Use one of: {', '.join(near)}.")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def list(self, pattern: str = "*") -> list[str]:
        """Returns the names that match a shell pattern, sorted naturally (resnet50 before resnet101)."""
        return sorted(fnmatch.filter(self._entries, pattern), key=natural_key)


def natural_key(name: str) -> list:
    """Returns a sort key that compares digits as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
