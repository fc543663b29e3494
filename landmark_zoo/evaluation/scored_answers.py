"""Answers from a matrix of scores."""

from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.aligned import Benchmark
from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.card_facts import NOT_STATED, card_facts


def scored_answers(benchmark: Benchmark, path: str | Path) -> Answers:
    """Ranks by scores that were computed elsewhere; equal scores stand in the order of the benchmark's list.

    Args:
        benchmark: Says which queries and index images.
        path: A `.npy` file, float [Q, N], higher is better: one row per query and one column per index image, in the order
            of the benchmark's lists.

    Raises:
        UserError: An unreadable file, another shape or type, a NaN.
    """
    try:
        scores = np.load(path, mmap_mode="r", allow_pickle=False)
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
        by_query[query] = Answer.of_scores(values, benchmark.index_ids, rows, benchmark.labelled_ids(query))
    return Answers(by_query, {**card_facts(None, None, NOT_STATED), "reranking": NOT_STATED,
                              "index_images": len(rows), "index_images_missing": 0})
