"""Retrieval on Google Landmarks Dataset v2: ground truth and mAP@100."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_csv, sha256
from landmark_zoo.data.datasets.image_list import ImageList
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.rankings import Rankings
from landmark_zoo.evaluation.results import Results, make_results
from landmark_zoo.metrics.ranking import PRECISIONS, average_precision_at_k, precisions

DEPTH = 100


@dataclass(frozen=True)
class Gldv2Benchmark(Benchmark):
    """Queries and positives of GLDv2 retrieval (Weyand et al., CVPR 2020; github.com/cvdfoundation/google-landmark).

    The protocol is mAP@100, P@1 and P@10, on all queries and by usage, with cP@10 beside them, which is no official metric:
    P@10 divided by what a query can reach. A query without an answer counts 0, as in the
    official evaluation; an index image without an embedding is not found.

    Attributes:
        name: The folder's name.
        query_ids: Queries that count, in the order of the list of queries.
        index_ids: Index images, in the order of their list.
        positives: Query id to the ids of its positives; at least one.
        usage: Query id to "Public" or "Private"; empty where the benchmark has no such parts.
        queries_ignored: Listed queries without a solution, or with one that says `None` or `Ignored`.
        ground_truth_sha256: Checksum of the solution file.
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

        A query that is an index image as well is junk in its own ranking.
        """
        folder = Path(folder)
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
            if images - {query}:
                positives[query], usage[query] = images - {query}, part
        if not positives:
            raise UserError(f"a query with positives in {solution}", "none", "Check the file.")
        queries = tuple(query for query in listed if query in positives)
        if known_index.intersection(queries):
            logging.warning("%d queries of %s are index images themselves and are left out of their own rankings.",
                            len(known_index.intersection(queries)), folder)
        return cls(folder.resolve().name, queries, index_ids, positives, usage, len(listed) - len(queries),
                   sha256(solution))

    @classmethod
    def recognizes(cls, folder: Path | None, ground_truth: Path | None) -> bool:
        return not ground_truth

    @classmethod
    def open(cls, folder: Path | None, ground_truth: Path | None, photos: Path | None) -> "Gldv2Benchmark":
        return cls.read(folder)

    def card_fields(self) -> dict[str, Any]:
        junk = any(map(self._itself, self.query_ids))
        return {"protocol": "gldv2_retrieval", "crop": "none, the benchmark has no boxes",
                "average_precision": f"finite sum over {DEPTH} places, divided by min(positives, {DEPTH})",
                "precision": PRECISIONS,
                "junk": "the query itself, removed before ranks are counted" if junk else "none in this benchmark"}

    def _itself(self, query_id: str) -> frozenset[str]:
        return self._index.intersection({query_id})

    @cached_property
    def _index(self) -> frozenset[str]:
        return frozenset(self.index_ids)

    def labelled_ids(self, query_id: str) -> frozenset[str]:
        return self.positives[query_id] | self._itself(query_id)

    def relevance(self, query_id: str, image_id: str) -> str:
        if image_id == query_id:
            return "junk"
        return "positive" if image_id in self.positives[query_id] else "negative"

    def evaluate(self, rankings: Rankings, name: str, seed: int = 0) -> Results:
        """Measures mAP@100, P@1, P@10 and cP@10, each on all queries and on those of each usage."""
        figures = {query: self._figures(rankings, query) for query in self.query_ids}
        per_query = [{"query_id": query, "average_precision": row[f"mAP@{DEPTH}"], "positives": len(self.positives[query])}
                     for query, row in figures.items()]
        return make_results(self, rankings, name, seed, values=self._by_usage(figures), per_query=per_query, depth=DEPTH,
                        queries_used=len(figures))

    def _figures(self, rankings: Rankings, query: str) -> dict[str, float]:
        positives = self.positives[query]
        ranks, count = rankings.of(query).ranks(positives, self._itself(query)), len(positives)
        return {f"mAP@{DEPTH}": average_precision_at_k(ranks, count, DEPTH), **precisions(ranks, count)}

    def _by_usage(self, figures: dict[str, dict[str, float]]) -> dict[str, np.ndarray]:
        parts = sorted(set(self.usage.values()) - {""}, reverse=True)
        names = list(next(iter(figures.values())))
        values = {name: np.array([row[name] for row in figures.values()]) for name in names}
        usage = np.array([self.usage[query] for query in figures])
        return {**values, **{f"{name}/{part}": values[name][usage == part] for part in parts for name in names}}


def _file(folder: Path, stem: str) -> Path:
    for name in (f"{stem}.csv", f"{stem}_v2.1.csv"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{stem}.csv or {stem}_v2.1.csv in {folder}", "neither", "Check --benchmark.")


def _ids(path: Path) -> tuple[str, ...]:
    ids = tuple(check_relative(row["id"], path) for row in read_csv(path, ["id"]))
    if len(set(ids)) != len(ids):
        raise UserError(f"each id once in {path}", f"{len(ids) - len(set(ids))} repeated", "Remove the duplicates.")
    return ids


def validation_split(catalogue: ImageList, benchmark: Gldv2Benchmark, queries: int, index: int, others: int,
                     seed: int = 0) -> tuple[Gldv2Benchmark, tuple[str, ...]]:
    """Draws images of landmarks that the benchmark does not show.

    Args:
        catalogue: All images with their landmarks, the benchmark's among them.
        benchmark: Benchmark whose landmarks are left out.
        queries: Number of queries; those without a positive among the index images drop out.
        index: Number of index images.
        others: Number of images for codebooks.
        seed: Seed of the draw.

    Returns:
        A benchmark, in which the positives of a query are the index images of its landmark, and the ids of `others` further
        images; no image is in two of the parts.

    Raises:
        UserError: Too few images, or no query with a positive.
    """
    left = catalogue.without_landmarks(catalogue.landmarks_of({*benchmark.query_ids, *benchmark.index_ids}))
    wanted = queries + index + others
    if len(left) < wanted:
        raise UserError(f"{wanted} photographs of landmarks outside the benchmark", f"{len(left)} in {catalogue.source}",
                        "Give more photographs, or lower --validation_queries, --validation_index, --codebook_photographs.")
    drawn = [left.entries[row] for row in np.random.default_rng(seed).permutation(len(left))[:wanted]]
    asked, searched = drawn[:queries], drawn[queries:queries + index]
    positives = {query.id: frozenset(image.id for image in searched if image.landmark_id == query.landmark_id)
                 for query in asked}
    kept = tuple(query.id for query in asked if positives[query.id])
    if not kept:
        raise UserError("a validation query with an index image of its landmark", "none", "Raise --validation_index.")
    validation = Gldv2Benchmark(f"outside {benchmark.name}", kept, tuple(image.id for image in searched),
                                {query: positives[query] for query in kept}, dict.fromkeys(kept, ""),
                                len(asked) - len(kept), f"drawn, seed {seed}")
    return validation, tuple(image.id for image in drawn[queries + index:])
