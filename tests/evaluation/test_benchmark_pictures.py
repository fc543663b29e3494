"""The pictures of a benchmark."""

import pytest

from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

NOTHING = {"easy": frozenset(), "hard": frozenset(), "junk": frozenset()}
OXFORD = RevisitedBenchmark("toy", ("q",), ("a", "b"), ((1, 2, 30, 40),), (NOTHING,), "")
GLDV2 = Gldv2Benchmark("toy", ("q",), ("a", "b"), {"q": frozenset("a")}, {"q": ""}, 0, "")


@pytest.fixture
def locator(tmp_path):
    (tmp_path / "jpg").mkdir()
    for name in "qa":
        (tmp_path / "jpg" / f"{name}.jpg").touch()
    return ImageLocator(tmp_path)


def test_queries_of_a_revisited_benchmark_have_boxes(locator):
    queries, index = benchmark_pictures(OXFORD, locator, crop=True)
    assert queries == [("q", locator.root / "jpg" / "q.jpg", (1, 2, 30, 40))]
    assert [picture.box for picture in index] == [None, None]
    assert benchmark_pictures(OXFORD, locator, crop=False)[0][0].box is None
    assert benchmark_pictures(GLDV2, locator, crop=True)[0][0].box is None


def test_missing_pictures_stay_in_the_list(locator):
    _, index = benchmark_pictures(GLDV2, locator, crop=True)
    assert [(picture.id, picture.path.exists()) for picture in index] == [("a", True), ("b", False)]
