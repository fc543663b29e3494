"""The file that tells what each query of an Oxford or Paris benchmark should find."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, sha256
from landmark_zoo.evaluation.safe_pickle import read_plain_pickle
from landmark_zoo.retrieval.checked_box import checked_box


@dataclass(frozen=True)
class GroundTruthFile:
    """Lists of pictures, and for each query its box and lists of places in the list of index images.

    Attributes:
        name: "roxford5k", or what follows "gnd_" in another file's name.
        query_ids: Names of the queries.
        index_ids: Names of the index images.
        entries: Of each query.
        checksum: SHA-256 of what was read.
    """

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    entries: Sequence[Any]
    checksum: str

    @classmethod
    def read(cls, path: str | Path) -> "GroundTruthFile":
        """Reads `gnd_<name>.json`, or `gnd_<name>.pkl` without unpickling it.

        Raises:
            UserError: An unreadable file, or one of another form.
        """
        path = Path(path)
        facts = read_plain_pickle(path) if path.suffix == ".pkl" else read_json(path)
        return cls.of(facts, path.stem.removeprefix("gnd_"), str(path), sha256(path))

    @classmethod
    def of(cls, facts: Any, name: str, source: str, checksum: str) -> "GroundTruthFile":
        """Checks what was read: imlist, qimlist and gnd; `source` is named in errors."""
        lists = ("imlist", "qimlist", "gnd")
        if not isinstance(facts, dict) or not all(isinstance(facts.get(key), list) for key in lists):
            raise UserError(f"lists named imlist, qimlist and gnd in {source}", "something else", "Check --ground_truth.")
        queries, index, entries = facts["qimlist"], facts["imlist"], facts["gnd"]
        for names in (queries, index):
            if not all(isinstance(one, str) for one in names) or len(set(names)) != len(names):
                raise UserError(f"each picture's name once in {source}", "one twice, or no name", "Check --ground_truth.")
        if not queries or len(entries) != len(queries):
            raise UserError(f"{len(queries)} entries in gnd, one for each query, in {source}", f"{len(entries)}",
                            "Check --ground_truth.")
        return cls(name, tuple(queries), tuple(index), entries, checksum)

    def boxes(self) -> tuple[tuple[float, float, float, float], ...]:
        """Returns x1, y1, x2, y2 of each query; a wrong box is a UserError that names the query."""
        return tuple(checked_box(self.entry(number, "bbx"), query) for number, query in enumerate(self.query_ids))

    def entry(self, query: int, key: str) -> Any:
        """Returns what stands under `key` for a query; nothing there is a UserError."""
        entry = self.entries[query]
        if not isinstance(entry, dict) or key not in entry:
            raise UserError(f"bbx and lists of places for query {self.query_ids[query]}", f"none named {key}",
                            "Check --ground_truth, and --protocol: revisited has easy, hard and junk, oxford ok and junk.")
        return entry[key]

    def places(self, query: int, key: str) -> list[int]:
        """Returns a list of places in `index_ids`; anything else is a UserError."""
        places, name = self.entry(query, key), self.query_ids[query]
        if not isinstance(places, list):
            raise UserError(f"a list named {key} for query {name}", "something else", "Check --ground_truth.")
        wrong = [place for place in places if not isinstance(place, int) or not 0 <= place < len(self.index_ids)]
        if wrong:
            raise UserError(f"places from 0 to {len(self.index_ids) - 1} for query {name}", repr(wrong[0]),
                            "Check --ground_truth.")
        return places

    def check_once(self, query: int, places: Sequence[int]) -> None:
        """Raises a UserError where an image of a query stands in two lists, or twice in one."""
        if len(set(places)) != len(places):
            raise UserError(f"each image once for query {self.query_ids[query]}", "one twice", "Check --ground_truth.")
