"""Revisited Oxford and Paris, and any benchmark in their format."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, sha256
from landmark_zoo.evaluation.safe_pickle import read_plain_pickle
from landmark_zoo.retrieval.checked_box import checked_box

LABELS = ("easy", "hard", "junk")
DIFFICULTIES = {  # which labels are positives and which are junk
    "Easy": (("easy",), ("junk", "hard")),
    "Medium": (("easy", "hard"), ("junk",)),
    "Hard": (("hard",), ("junk", "easy")),
}


@dataclass(frozen=True)
class RevisitedBenchmark:
    """What each query should find, in three grades (Radenovic et al., Revisiting Oxford and Paris, CVPR 2018).

    Attributes:
        name: "roxford5k", "rparis6k", or what follows "gnd_" in another file's name.
        query_ids: Names of the queries; they are not among the index images.
        index_ids: Names of the index images.
        boxes: x1, y1, x2, y2 of each query in pixels of its picture as stored.
        labels: For each query, "easy", "hard" and "junk" to places in `index_ids`; the rest is negative.
        ground_truth_sha256: Of the file.
    """

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[Mapping[str, frozenset[int]], ...]
    ground_truth_sha256: str

    @classmethod
    def read(cls, path: str | Path) -> "RevisitedBenchmark":
        """Reads `gnd_<name>.json`, or the original `gnd_<name>.pkl` without unpickling it.

        Raises:
            UserError: An unreadable file, one of another form, a place beyond the list of index images, an image with
                two labels, or a wrong box; the query is named.
        """
        path = Path(path)
        facts = read_plain_pickle(path) if path.suffix == ".pkl" else read_json(path)
        lists = ("imlist", "qimlist", "gnd")
        if not isinstance(facts, dict) or not all(isinstance(facts.get(key), list) for key in lists):
            raise UserError(f"lists named imlist, qimlist and gnd in {path}", "something else", "Check --ground_truth.")
        queries, index, truth = facts["qimlist"], facts["imlist"], facts["gnd"]
        for names in (queries, index):
            if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
                raise UserError(f"each picture's name once in {path}", "one twice, or no name", "Check --ground_truth.")
        if not queries or len(truth) != len(queries):
            raise UserError(f"{len(queries)} entries in gnd, one for each query, in {path}", f"{len(truth)}",
                            "Check --ground_truth.")
        return cls(path.stem.removeprefix("gnd_"), tuple(queries), tuple(index),
                   tuple(checked_box(_entry(entry, "bbx", query), query)
                         for entry, query in zip(truth, queries, strict=True)),
                   tuple(_labels(entry, query, len(index)) for entry, query in zip(truth, queries, strict=True)),
                   sha256(path))

    def split(self, query: int, difficulty: str) -> tuple[frozenset[int], frozenset[int]]:
        """Returns positives and junk of one query, as places in `index_ids`, for "Easy", "Medium" or "Hard"."""
        return tuple(frozenset().union(*(self.labels[query][label] for label in labels))
                     for labels in DIFFICULTIES[difficulty])

    def relevance(self, query: int, image: int) -> str:
        """Returns "easy", "hard", "junk" or "negative"."""
        return next((label for label in LABELS if image in self.labels[query][label]), "negative")


def _entry(entry: Any, key: str, query: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise UserError(f"bbx, easy, hard and junk for query {query}", f"none named {key}",
                        "Use the revisited ground truth, not that of the first Oxford and Paris benchmarks.")
    return entry[key]


def _labels(entry: Any, query: str, index_size: int) -> dict[str, frozenset[int]]:
    lists = {label: _entry(entry, label, query) for label in LABELS}
    if not all(isinstance(places, list) for places in lists.values()):
        raise UserError(f"lists named easy, hard and junk for query {query}", "something else", "Check --ground_truth.")
    places = [place for label in LABELS for place in lists[label]]
    wrong = [place for place in places if not isinstance(place, int) or not 0 <= place < index_size]
    if wrong:
        raise UserError(f"places from 0 to {index_size - 1} for query {query}", repr(wrong[0]), "Check --ground_truth.")
    if len(set(places)) != len(places):
        raise UserError(f"each image once for query {query}", "one twice", "Check --ground_truth.")
    return {label: frozenset(places) for label, places in lists.items()}
