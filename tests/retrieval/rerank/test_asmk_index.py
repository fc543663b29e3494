import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.asmk import aggregate, asmk_similarity
from landmark_zoo.retrieval.rerank.asmk_index import AsmkIndex
from landmark_zoo.retrieval.rerank.codebook import Codebook

BOOK = Codebook(8, "k").fit(np.random.default_rng(0).normal(size=(80, 12)).astype(np.float32))


def photographs(count, seed, words=1):
    random = np.random.default_rng(seed)
    return [aggregate(random.normal(size=(random.integers(0, 9), 12)).astype(np.float32), BOOK, words) for _ in range(count)]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500), st.integers(1, 6))
def test_scores_are_those_of_pairs(seed, k):
    candidates, query = photographs(6, seed), photographs(1, seed + 1, words=5)[0]
    ids, scores = AsmkIndex(BOOK).add(list("abcdef"), candidates).search(query, k)
    expected = np.array([asmk_similarity(query, candidate, 12) for candidate in candidates])
    order = np.argsort(-expected, kind="stable")[:k]
    np.testing.assert_allclose(scores, expected[order], atol=1e-12)
    np.testing.assert_allclose([expected["abcdef".index(image_id)] for image_id in ids], scores, atol=1e-12)


def test_added_in_parts_saved_and_loaded(tmp_path):
    candidates, query = photographs(9, 3), photographs(1, 4, words=5)[0]
    whole = AsmkIndex(BOOK).add(list("abcdefghi"), candidates)
    parts = AsmkIndex(BOOK).add(list("abcd"), candidates[:4]).add(list("efghi"), candidates[4:])
    parts.save(tmp_path / "index")
    for index in (parts, AsmkIndex.load(tmp_path / "index")):
        assert len(index) == 9
        assert index.search(query, 9)[0] == whole.search(query, 9)[0]
        np.testing.assert_allclose(index.search(query, 9)[1], whole.search(query, 9)[1])


def test_an_empty_index_finds_nothing():
    assert AsmkIndex(BOOK).search(photographs(1, 0)[0], 5)[0] == []


def test_ids_that_do_not_fit(tmp_path):
    index = AsmkIndex(BOOK).add(list("ab"), photographs(2, 5))
    with pytest.raises(UserError, match="every id once"):
        index.add(["b"], photographs(1, 6))
    with pytest.raises(UserError, match="every id once"):
        index.add(["c", "c"], photographs(2, 6))
    with pytest.raises(ValueError, match="received 1 and 2"):
        index.add(["c"], photographs(2, 6))
    with pytest.raises(ValueError, match="k of 1 or more"):
        index.search(photographs(1, 0)[0], 0)
    index.save(tmp_path / "index")
    (tmp_path / "index" / "ids.csv").write_text("id\na\n")
    with pytest.raises(UserError, match=r"an ASMK index at .*; received ValueError: 1 ids"):
        AsmkIndex.load(tmp_path / "index")


def test_an_interrupted_save_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr("landmark_zoo.retrieval.rerank.asmk_index.write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        AsmkIndex(BOOK).add(["a"], photographs(1, 5)).save(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []
