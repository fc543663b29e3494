"""What holds for every kind of benchmark."""

import inspect

import pytest

from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.protocols import BENCHMARKS


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_row_is_a_whole_benchmark(name):
    assert Benchmark in BENCHMARKS[name].__mro__
    assert not inspect.isabstract(BENCHMARKS[name])


def test_images_come_in_the_order_of_their_ids(paint):
    folder = paint("q.jpg", 0).parent
    paint("b.jpg", 1)
    benchmark = Gldv2Benchmark("toy", ("q",), ("b", "gone"), {"q": frozenset("b")}, {"q": ""}, 0, "")
    queries, index = benchmark.query_images(ImageLocator(folder)), benchmark.index_images(ImageLocator(folder))
    assert [image.path for image in queries] == [folder / "q.jpg"]
    assert [image.id for image in index] == ["b", "gone"]
    assert index[0].path == folder / "b.jpg"
