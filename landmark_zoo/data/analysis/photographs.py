"""Photographs that shall be looked at, wherever they lie."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Block(NamedTuple):
    """Photographs that are measured and saved together.

    Attributes:
        start: Number of the first photograph.
        stop: Number after the last.
        fingerprint: SHA-256 that changes when one of them changes.
    """

    start: int
    stop: int
    fingerprint: str


@dataclass(frozen=True)
class Photographs:
    """One part of a collection: what is trained on, or a benchmark's index images or queries.

    Attributes:
        part: Its name: "train", "validation", "test", "index", "queries".
        ids: One per photograph.
        landmarks: What each shows, as its source names it; "" where that is not known.
        blocks: Cover all photographs, in order.
        read: From the number of a photograph to its bytes; may be called in several threads. A file that is missing is a
            `BadPhotograph`.
        missing: Ids that a list names without a file.
    """

    part: str
    ids: Sequence[str]
    landmarks: Sequence[str]
    blocks: Sequence[Block]
    read: Callable[[int], bytes]
    missing: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.ids)
