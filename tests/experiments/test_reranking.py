import numpy as np

from experiments.reranking import HEADER, MeasuredRow, aligned_text, effect, rerank_first, table_cells
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.protocols import evaluate
from landmark_zoo.evaluation.rankings import Ranking, Rankings
from landmark_zoo.retrieval.rerank.base import Reranker


class Brightness(Reranker):
    """Minus the difference of brightness."""

    described = 0

    def describe(self, image):
        self.described += 1
        return float(image.mean())

    def compare(self, query, candidate):
        return -abs(query - candidate), None


def read(image_id):
    if image_id == "bad":
        raise InvalidImageError("empty file")
    return np.full((32, 32, 3), int(image_id), np.uint8)


def test_scores_stand_in_the_order_of_the_list_and_candidates_are_described_once():
    reranker = Brightness()
    lists = {"100": ["10", "bad", "99"], "50": ["99", "10"]}
    rankings = Rankings({query: Ranking((), [(image, 0.0) for image in images]) for query, images in lists.items()}, {})
    done, query_ms = rerank_first(reranker, rankings, read, "test")
    assert {query: [image for image, _ in images] for query, (images, _) in done.items()} == lists
    np.testing.assert_array_equal(done["100"][1], [-90, np.nan, -1])
    np.testing.assert_array_equal(done["50"][1], [-49, -40])
    assert reranker.described == 2 + 2
    assert query_ms > 0


INDEX = tuple(f"i{number}" for number in range(10))
TWO = Gldv2Benchmark("b", ("p", "q"), INDEX, {"p": frozenset({"i0", "i1"}), "q": frozenset({"i0"})},
                     {"p": "Public", "q": "Private"}, 0, "0")


def measured(name, title, p, q, *timing):
    """A row with the positives at these places of the two rankings."""
    lists = {}
    for query, places in (("p", p), ("q", q)):
        ranking = list(INDEX[len(places):])
        for image, place in zip(INDEX, places, strict=False):
            ranking.insert(place - 1, image)
        lists[query] = ranking
    return MeasuredRow(name, title, evaluate(TWO, Rankings.of_lists(TWO, lists), name), *timing)


BEFORE = measured("E2", "classification", (2, 4), (1,), 12.34)          # average precisions 1/2 and 1
AFTER = measured("E5", "re-ranked by SIFT", (1, 2), (2,), 400.0, 0.85)  # 1 and 1/2


def test_rows_in_per_cent_and_dashes_for_missing_models():
    table = [table_cells(row) for row in (BEFORE, MeasuredRow("E3", "siamese from ImageNet"), AFTER)]
    assert table[0] == ("E2", "classification", "75.00", "50.0 to 100.0", "100.00", "50.00", "12.3", "-")
    assert table[1] == ("E3", "siamese from ImageNet", *"------")
    assert table[2][4:] == ("50.00", "100.00", "400.0", "0.85")
    lines = aligned_text([HEADER, *table]).splitlines()
    assert len(lines) == 4
    assert lines[1].index("75.00") == lines[0].index("mAP@100")
    assert aligned_text([("a", "long"), ("bb", "c")]) == "a   long\nbb  c"


def test_says_where_it_is_worse():
    lines = effect(AFTER, BEFORE, {"p": "tower", "q": "bridge"})
    assert lines[0] == "E5 against E2: +0.00 [-50.00, +50.00]; 1 queries better, 1 worse, 0 equal"
    assert lines[1:] == ["  worse on bridge: -50.00 over 1 queries"]
