"""Photographs that are there twice, byte for byte."""

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from landmark_zoo.core.files import sha256
from landmark_zoo.core.progress import progress
from landmark_zoo.data.catalogue import Entry

_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Duplicate:
    """A photograph whose file is a copy.

    Attributes:
        entry: The photograph.
        first: The one that has the same bytes and comes first.
    """

    entry: Entry
    first: Entry

    @property
    def reason(self) -> str:
        """What to say about it in a list of skipped photographs."""
        landmark = "the same landmark" if self.entry.landmark_id == self.first.landmark_id else (
            f"another landmark, {self.first.landmark_id}")
        return f"same file as {self.first.id} of {landmark}"


def find_duplicates(entries: Iterable[Entry]) -> list[Duplicate]:
    """Finds the photographs whose files have the same SHA-256 as one before them.

    Few files are read whole: only those that share their size and their last 4 kB with another. Files that cannot be
    read are passed over.

    Args:
        entries: Photographs; of equal ones the first is the original.

    Returns:
        The copies, in the order of `entries`.
    """
    entries = list(entries)
    candidates = _alike(os.path.getsize, progress(entries, "looking for duplicates"))
    for key in (_tail, sha256):
        candidates = [group for candidate in candidates for group in _alike(key, candidate)]
    places = {entry.id: place for place, entry in enumerate(entries)}
    copies = [Duplicate(entry, group[0]) for group in candidates for entry in group[1:]]
    return sorted(copies, key=lambda copy: places[copy.entry.id])


def _alike(key: Callable[[str], Hashable], entries: Iterable[Entry]) -> list[list[Entry]]:
    groups = defaultdict(list)
    for entry, value in _readable(key, entries):
        groups[value].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def _readable(key: Callable[[str], Hashable], entries: Iterable[Entry]) -> Iterator[tuple[Entry, Hashable]]:
    for entry in entries:
        try:
            value = key(entry.path)
        except OSError:  # write_records will list it with the reason
            continue
        yield entry, value


def _tail(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - _TAIL_BYTES))
        return file.read()
