"""Google Landmarks v2 retrieval, and any benchmark in its csv formats."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, sha256

_LONGEST_CELL = 2**27


@dataclass(frozen=True)
class Gldv2Benchmark:
    """Which index images each query should find (Weyand et al., CVPR 2020; github.com/cvdfoundation/google-landmark).

    Attributes:
        name: The folder's name.
        query_ids: Queries that count, in the order of the list of queries.
        index_ids: Index images, in the order of their list.
        positives: Query id to the ids of its positives; at least one.
        usage: Query id to "Public" or "Private"; empty where the benchmark has no such parts.
        queries_ignored: Listed queries without a solution, or with one that says `None` or `Ignored`.
        ground_truth_sha256: Of the solution file.
    """

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    positives: Mapping[str, frozenset[str]]
    usage: Mapping[str, str]
    queries_ignored: int
    ground_truth_sha256: str

    @classmethod
    def read(cls, folder: str | Path) -> "Gldv2Benchmark":
        """Reads `test.csv` (id), `index.csv` (id) and `retrieval_solution.csv` (id, images, and perhaps Usage).

        Each file may carry the release in its name (`retrieval_solution_v2.1.csv`).

        Raises:
            UserError: A file or column is missing, an id is listed twice, the solution names an id that is not listed,
                or no query counts.
        """
        folder = Path(folder)
        csv.field_size_limit(_LONGEST_CELL)
        listed = _ids(_file(folder, "test"))
        index_ids = _ids(_file(folder, "index"))
        solution = _file(folder, "retrieval_solution")
        known_queries, known_index = set(listed), set(index_ids)
        positives, usage = {}, {}
        for row in read_csv(solution, ["id", "images"]):
            query, images, part = row["id"], frozenset(row["images"].split()), row.get("Usage") or ""
            if query not in known_queries:
                raise UserError(f"queries of {solution.name} that are in the list of queries", query, "Mend the lists.")
            if query in positives:
                raise UserError(f"each query once in {solution}", f"{query} twice", "Remove one.")
            if part == "Ignored" or images <= {"None"}:
                continue
            if not images <= known_index:
                raise UserError(f"positives of query {query} that are in the list of index images",
                                min(images - known_index), "Take all lists from one release.")
            positives[query], usage[query] = images, part
        if not positives:
            raise UserError(f"a query with positives in {solution}", "none", "Check the file.")
        queries = tuple(query for query in listed if query in positives)
        return cls(folder.resolve().name, queries, index_ids, positives, usage, len(listed) - len(queries),
                   sha256(solution))

    def labelled_ids(self, query_id: str) -> frozenset[str]:
        """Returns the index images that have a label for a query: its positives."""
        return self.positives[query_id]


def _file(folder: Path, stem: str) -> Path:
    for name in (f"{stem}.csv", f"{stem}_v2.1.csv"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{stem}.csv or {stem}_v2.1.csv in {folder}", "neither", "Check --benchmark.")


def _ids(path: Path) -> tuple[str, ...]:
    ids = tuple(row["id"] for row in read_csv(path, ["id"]))
    if len(set(ids)) != len(ids):
        raise UserError(f"each id once in {path}", f"{len(ids) - len(set(ids))} repeated", "Remove the duplicates.")
    return ids
