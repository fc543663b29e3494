"""Exact search, with and without distractors."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation import embedded_answers as module
from landmark_zoo.evaluation.distractors import Distractors
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark

INDEX = ("a", "b", "c")
TOY = Gldv2Benchmark("toy", ("q1", "q2"), INDEX, {"q1": frozenset("ac"), "q2": frozenset("b")}, {"q1": "", "q2": ""}, 0, "")
SCORES = np.array([[0.9, 0.5, 0.3], [0.2, 0.4, 0.6]])


def behind(queries, *scores):
    """Distractors with these scores under both queries."""
    rows = np.zeros((len(scores), queries.dimension), np.float16)
    rows[:, :2] = np.array(scores)[:, np.newaxis]
    return Distractors([f"d{number}" for number in range(len(scores))], [rows[:1], rows[1:]], "some")


def test_distractors_are_plain_negatives(planted):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    alone = embedded_answers(TOY, queries, index)
    assert alone.of("q1").labelled == [("a", 0), ("c", 2)]
    assert (alone.facts["distractors"], alone.facts["index_images"]) == ("none", 3)
    more = embedded_answers(TOY, queries, index, behind(queries, 0.45, 0.35, -0.5))
    assert more.of("q1").labelled == [("a", 0), ("c", 4)]
    assert [image for image, _ in more.of("q2").first] == ["c", "d0", "b", "d1", "a", "d2"]
    assert (more.facts["distractors"], more.facts["index_images"]) == ("some", 3)


def test_queries_in_parts_are_the_same(planted, monkeypatch):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    whole = embedded_answers(TOY, queries, index)
    monkeypatch.setattr(module, "SCORES_AT_A_TIME", 3)
    assert embedded_answers(TOY, queries, index).by_query == whole.by_query


def test_a_missing_query_has_no_answer(planted):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    answers = embedded_answers(TOY, queries.select(["q2"]), index.select(["a", "b"]))
    assert list(answers.by_query) == ["q2"]
    assert answers.facts["index_images_missing"] == 1


def test_distractors_with_nan_are_refused(planted):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    with pytest.raises(UserError, match=r"finite numbers; received .* shard 1"):
        embedded_answers(TOY, queries, index, behind(queries, np.nan, 0.1))
