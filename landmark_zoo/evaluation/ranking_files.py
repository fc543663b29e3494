"""Files of rankings: csv tables in the form of a GLDv2 submission, and matrices of scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, read_npy, write_csv, write_json
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.protocol_card import NOT_STATED, card_facts
from landmark_zoo.evaluation.rankings import Ranking, Rankings


def read_rankings(benchmark: Benchmark, path: str | Path) -> Rankings:
    """Reads whole or truncated rankings in the form of a GLDv2 submission.

    The columns are `id` and `images`, the latter with blanks between the ids, best first. Queries that the benchmark does
    not have are left aside. Index images that it does not have keep their places and are negatives, as distractors are.
    What is behind the end of a truncated ranking is not found.

    Args:
        benchmark: Names the queries, and the images whose places are wanted.
        path: A csv file. A json file beside it of the same name, as `write_rankings` leaves one, tells the
            protocol card how the rankings came about.

    Raises:
        UserError: A broken table, a query twice, or none of the benchmark's queries or index images in it.
    """
    path = Path(path)
    wanted, known = set(benchmark.query_ids), set(benchmark.index_ids)
    by_query, foreign, found, lengths = {}, set(), False, []
    for row in read_csv(path, ["id", "images"]):
        query, ranking = row["id"], row["images"].split()
        if query in by_query:
            raise UserError(f"each query once in {path}", f"{query} twice", "Remove one.")
        if query not in wanted:
            continue
        others = [image for image in ranking if image not in known]
        foreign.update(others)
        found = found or len(others) < len(ranking)
        lengths.append(len(ranking))
        by_query[query] = Ranking.of_ranking(ranking, frozenset(benchmark.labelled_ids(query)))
    if not found:
        raise UserError(f"rankings of {benchmark.name} in {path}, of queries such as {benchmark.query_ids[0]} and index "
                        f"images such as {benchmark.index_ids[0]}", "none", "Check --rankings and --benchmark.")
    if foreign:
        logging.warning("%d index images of the rankings are not in %s and count as negatives, first %s", len(foreign),
                        benchmark.name, min(foreign))
    absent = sorted(wanted.difference(by_query))
    if absent:
        logging.warning("%d of %d queries have no ranking and count as not found, first %s", len(absent), len(wanted),
                        absent[0])
    return Rankings(by_query, {
        **_told(path.with_suffix(".json")), "index_images": len(known), "index_images_missing": 0,
        "distractors": f"{len(foreign):,} images in the rankings that are not in the index" if foreign else "none"},
        depth=None if min(lengths) >= len(known) else max(lengths))


def _told(path: Path) -> dict[str, Any]:
    """Returns the fields of the card that the json file beside the rankings tells."""
    if not path.exists():
        return {**card_facts(None, None, NOT_STATED), "reranking": NOT_STATED}
    facts = read_json(path)
    try:
        settings = "".join(f", {name} {value}" for name, value in facts.get("settings", {}).items())
        return {**card_facts(facts.get("queries"), facts.get("index"), facts.get("model_fingerprint", NOT_STATED)),
                "reranking": f"{facts.get('method', NOT_STATED)}{settings}"}
    except AttributeError as error:
        raise UserError(f"facts on the rankings in {path}", str(error), "Make the rankings again.") from error


def rankings_from_scores(benchmark: Benchmark, path: str | Path) -> Rankings:
    """Ranks by scores that were computed elsewhere; equal scores stand in the order of the benchmark's list.

    Args:
        benchmark: Names queries and index images.
        path: A `.npy` file, float [Q, N], higher is better: one row per query and one column per index image, in the order
            of the benchmark's lists.

    Raises:
        UserError: An unreadable file, another shape or type, a NaN.
    """
    try:
        scores = read_npy(path, mmap=True)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"scores in numpy's format at {path}", str(error), "Write them with numpy.save.") from error
    expected = (len(benchmark.query_ids), len(benchmark.index_ids))
    if scores.shape != expected or scores.dtype.kind != "f":
        raise UserError(f"float scores {list(expected)}, queries x index images of {benchmark.name}, in {path}",
                        f"{scores.dtype} {list(scores.shape)}", "Order both as the benchmark's lists do.")
    rows = {image: row for row, image in enumerate(benchmark.index_ids)}
    by_query = {}
    for query, row in zip(benchmark.query_ids, scores, strict=True):
        values = np.asarray(row, np.promote_types(row.dtype, np.float32))
        if np.isnan(values).any():
            raise UserError(f"scores that are numbers for query {query} in {path}", "NaN", "Compute them again.")
        by_query[query] = Ranking.of_scores(values, benchmark.index_ids, rows, benchmark.labelled_ids(query))
    return Rankings(by_query, {**card_facts(None, None, NOT_STATED), "reranking": NOT_STATED,
                              "index_images": len(rows), "index_images_missing": 0})


def write_rankings(folder: str | Path, query_ids: Sequence[str], rankings: Sequence[Sequence[str]],
                   facts: Mapping[str, Any]) -> None:
    """Writes `rankings.csv`, in the form of a GLDv2 submission, and `rankings.json` with what is known of them.

    Args:
        folder: Folder of the files.
        query_ids: Ids of the queries, column `id`.
        rankings: Ids of index images of each query, best first: column `images`, with blanks between.
        facts: Facts on how the rankings came about: "method", "settings", and provenance of "queries" and "index".

    Raises:
        UserError: An id with a blank in it.
        ValueError: Not one ranking per query.
    """
    if len(query_ids) != len(rankings):
        raise ValueError(f"write_rankings: expected {len(query_ids)} rankings; received {len(rankings)}.")
    wrong = next((image for ranking in rankings for image in ranking if len(image.split()) != 1), None)
    if wrong is not None:
        raise UserError("ids without blanks for rankings", repr(wrong), "Give the images other ids.")
    write_csv(Path(folder) / "rankings.csv", ["id", "images"],
              ([query, " ".join(ranking)] for query, ranking in zip(query_ids, rankings, strict=True)))
    write_json(Path(folder) / "rankings.json", dict(facts))
