import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.reranker import Reranker


class Brightness(Reranker):
    """Compares mean brightness; descriptions are floats."""

    seconds = 0.0

    def describe(self, photograph):
        return float(photograph.mean())

    def compare(self, query, candidate):
        time.sleep(self.seconds)
        return -abs(query - candidate), None


def grey(level):
    return np.full((32, 32, 3), level, np.uint8)


PHOTOGRAPHS = {"a": grey(10), "b": grey(100), "c": grey(98), "d": grey(102)}


def test_the_best_come_first_and_equal_ones_keep_their_order():
    done = Brightness().rerank(grey(100), ["a", "d", "c", "b"], PHOTOGRAPHS.__getitem__)
    assert done.ids == ["b", "d", "c", "a"]
    assert done.scores.tolist() == [0, -2, -2, -90]
    assert done.geometry == [None] * 4
    assert done.compared == 4
    assert done.scores_of(["a", "b"]).tolist() == [-90, 0]


def test_descriptions_that_were_kept_give_the_same():
    reranker = Brightness()
    kept = {name: reranker.describe(photograph) for name, photograph in PHOTOGRAPHS.items()}
    first = reranker.rerank(grey(99), list("abcd"), PHOTOGRAPHS.__getitem__)
    second = reranker.rerank(reranker.describe_query(grey(99)), list("abcd"), kept.__getitem__)
    assert first.ids == second.ids
    assert first.scores.tolist() == second.scores.tolist()


def test_what_the_budget_does_not_reach_keeps_its_order():
    reranker = Brightness(budget_ms=60)
    reranker.seconds = 0.04
    done = reranker.rerank(grey(100), ["a", "b", "d", "c"], PHOTOGRAPHS.__getitem__)
    assert done.compared == 2
    assert done.ids == ["b", "a", "d", "c"]
    assert np.isnan(done.scores[2:]).all()


def test_bad_photographs_are_named_and_come_last():
    def fetch(name):
        if name == "a":
            raise BadPhotograph("empty file")
        return PHOTOGRAPHS[name]
    done = Brightness().rerank(grey(100), ["a", "c", "b"], fetch)
    assert done.ids == ["b", "c", "a"]
    assert done.skipped == {"a": "empty file"}


def test_no_candidates():
    done = Brightness().rerank(grey(1), [], PHOTOGRAPHS.__getitem__)
    assert done.ids == []
    assert done.scores.shape == (0,)


@pytest.mark.parametrize("query", [grey(1)[..., 0], grey(1).astype(np.float32), np.zeros((4, 4, 4), np.uint8)])
def test_an_array_that_is_no_photograph(query):
    with pytest.raises(ValueError, match=r"photograph uint8 \[H, W, 3\]; received"):
        Brightness().rerank(query, ["a"], PHOTOGRAPHS.__getitem__)


def test_other_mistakes():
    with pytest.raises(ValueError, match="every candidate once"):
        Brightness().rerank(grey(1), ["a", "a"], PHOTOGRAPHS.__getitem__)
    with pytest.raises(ValueError, match="above 0 ms"):
        Brightness(budget_ms=0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=20), st.integers(0, 255))
def test_the_order_is_a_stable_sort(levels, query):
    kept = {str(number): float(level) for number, level in enumerate(levels)}
    done = Brightness().rerank(float(query), list(kept), kept.__getitem__)
    assert done.ids == sorted(kept, key=lambda name: abs(kept[name] - query))
