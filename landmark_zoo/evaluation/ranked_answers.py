"""Answers from a table of rankings."""

import csv
from pathlib import Path
from typing import Any

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json
from landmark_zoo.evaluation.aligned import Benchmark
from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.card_facts import NOT_STATED, card_facts

_LONGEST_CELL = 2**30


def ranked_answers(benchmark: Benchmark, path: str | Path) -> Answers:
    """Reads whole or truncated rankings in the form of a GLDv2 submission.

    The columns are `id` and `images`, the latter with blanks between the ids, best first. Queries that the benchmark does
    not have are left aside. Index images that it does not have keep their places and are negatives, as distractors are.
    What is behind the end of a truncated ranking is not found.

    Args:
        benchmark: Says which queries and whose places are wanted.
        path: The csv file. A json file beside it of the same name, as `retrieval.write_rankings` leaves one, tells the
            protocol card how the rankings came about.

    Raises:
        UserError: A broken table, a query twice, or none of the benchmark's queries or index images in it.
    """
    path = Path(path)
    csv.field_size_limit(_LONGEST_CELL)
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
        by_query[query] = Answer.of_ranking(ranking, frozenset(benchmark.labelled_ids(query)))
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
    return Answers(by_query, {
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
