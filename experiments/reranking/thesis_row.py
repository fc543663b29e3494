"""One row of the table of arXiv 2208.04201."""

from collections.abc import Mapping
from dataclasses import dataclass

TITLES = {"E1": "ImageNet features", "E2": "classification", "E3": "siamese from ImageNet", "E4": "siamese from E2",
          "E5": "re-ranked by SIFT", "E6": "re-ranked by VLAD", "E7": "re-ranked by patches"}


@dataclass(frozen=True)
class ThesisRow:
    """What was measured.

    Attributes:
        name: "E1" to "E7".
        average_precision: Query to its AP@100; empty where the model is missing.
        query_ms: Milliseconds for one query; of re-ranking, without the search before it.
        v: The fitted weight of the global score, of re-ranking only.
        describe_ms: Milliseconds for the description of one candidate, of re-ranking only.
    """

    name: str
    average_precision: Mapping[str, float]
    query_ms: float | None = None
    v: float | None = None
    describe_ms: float | None = None
