import numpy as np

from experiments.reranking.first_lists import FirstList
from experiments.reranking.rerank_lists import rerank_lists
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.reranker import Reranker


class Brightness(Reranker):
    """Minus the difference of brightness."""

    described = 0

    def describe(self, photograph):
        self.described += 1
        return float(photograph.mean())

    def compare(self, query, candidate):
        return -abs(query - candidate), None


def read(image_id):
    if image_id == "bad":
        raise BadPhotograph("empty file")
    return np.full((32, 32, 3), int(image_id), np.uint8)


def test_scores_stand_in_the_order_of_the_list_and_candidates_are_described_once():
    reranker = Brightness()
    lists = {"100": FirstList(["10", "bad", "99"], np.zeros(3)), "50": FirstList(["99", "10"], np.zeros(2))}
    done = rerank_lists(reranker, lists, read, "test")
    np.testing.assert_array_equal(done.scores["100"], [-90, np.nan, -1])
    np.testing.assert_array_equal(done.scores["50"], [-49, -40])
    assert reranker.described == 2 + 2
    assert done.query_ms > 0
    assert done.describe_ms > 0
