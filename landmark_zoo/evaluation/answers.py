"""What a system answers to the queries of a benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landmark_zoo.evaluation.answer import Answer


@dataclass(frozen=True)
class Answers:
    """Rankings from wherever they come: embeddings, a table of rankings, a matrix of scores.

    Attributes:
        by_query: Query to its answer; queries without one count as having found nothing.
        facts: The fields of the `ProtocolCard` that depend on where the rankings come from.
        depth: How many places the longest ranking has; None where all hold the whole index.
    """

    by_query: Mapping[str, Answer]
    facts: Mapping[str, Any]
    depth: int | None = None

    def of(self, query_id: str) -> Answer:
        """Returns a query's answer, an empty one where there is none."""
        return self.by_query.get(query_id, Answer())
