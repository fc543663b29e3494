"""What the benchmarks of Oxford and Paris, first and revisited, have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar


@dataclass(frozen=True)
class GradedBenchmark:
    """What each query should find, in one grade of difficulty or several.

    Attributes:
        name: "roxford5k", "paris6k", or another.
        query_ids: Names of the queries.
        index_ids: Names of the index images.
        boxes: x1, y1, x2, y2 of each query in pixels of its picture as stored.
        labels: For each query, each of `LABELS` to places in `index_ids`; the rest is negative.
        ground_truth_sha256: Of the file.
    """

    PROTOCOL: ClassVar[str]
    LABELS: ClassVar[tuple[str, ...]]
    GRADES: ClassVar[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]]  # which labels are positives, which junk
    MAIN_GRADE: ClassVar[str]
    JUNK_RULE: ClassVar[str]

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[Mapping[str, frozenset[int]], ...]
    ground_truth_sha256: str

    def split(self, query: int, grade: str) -> tuple[frozenset[int], frozenset[int]]:
        """Returns positives and junk of one query in one of `GRADES`, as places in `index_ids`."""
        return tuple(frozenset().union(*(self.labels[query][label] for label in labels)) for labels in self.GRADES[grade])

    def labelled_ids(self, query_id: str) -> list[str]:
        """Returns the index images that have a label for a query."""
        places = frozenset().union(*self.labels[self._numbers[query_id]].values())
        return [self.index_ids[place] for place in places]

    def relevance(self, query_id: str, image_id: str) -> str:
        """Returns one of `LABELS`, or "negative"; an image outside the index is negative."""
        place, labels = self._places.get(image_id), self.labels[self._numbers[query_id]]
        return next((label for label in self.LABELS if place in labels[label]), "negative")

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {query: number for number, query in enumerate(self.query_ids)}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {image: place for place, image in enumerate(self.index_ids)}
