"""Scores from elsewhere."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.scored_answers import scored_answers

TOY = Gldv2Benchmark("toy", ("q1", "q2"), tuple("abc"), {"q1": frozenset("ac"), "q2": frozenset("b")},
                     {"q1": "", "q2": ""}, 0, "")
SCORES = np.array([[0.9, 0.5, 0.3], [0.2, 0.4, 0.4]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_are_queries_and_columns_index_images(tmp_path, dtype):
    np.save(tmp_path / "s.npy", SCORES.astype(dtype))
    answers = scored_answers(TOY, tmp_path / "s.npy")
    assert answers.of("q1").labelled == [("a", 0), ("c", 2)]
    assert [image for image, _ in answers.of("q2").first] == ["b", "c", "a"]
    assert answers.facts["reranking"] == "not stated"


@pytest.mark.parametrize(("scores", "message"), [
    (SCORES.T, r"float scores \[2, 3\]"), (SCORES.astype(int), "received int64"),
    (np.where(SCORES == 0.2, np.nan, SCORES), "for query q2"), (np.array([[{}]]), "Write them with numpy.save")])
def test_what_does_not_fit(tmp_path, scores, message):
    np.save(tmp_path / "s.npy", scores, allow_pickle=True)
    with pytest.raises(UserError, match=message):
        scored_answers(TOY, tmp_path / "s.npy")


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="absent"):
        scored_answers(TOY, tmp_path / "absent.npy")
