"""One row of a table that sets rankings beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredRow:
    """What was measured.

    Attributes:
        name: Short, for columns and folders: "E5", "sift".
        title: What it is, in words.
        average_precision: Query to its AP@100; empty where the model is missing.
        query_ms: Milliseconds for one query; of re-ranking, without the search before it.
        v: The fitted weight of the global score, of re-ranking only.
        describe_ms: Milliseconds for the description of one candidate, of re-ranking only.
    """

    name: str
    title: str
    average_precision: Mapping[str, float]
    query_ms: float | None = None
    v: float | None = None
    describe_ms: float | None = None
