import pytest

from experiments.reranking.outside_benchmark import outside_benchmark
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark

CATALOGUE = Catalogue(tuple(Entry(f"{landmark}{n}", f"{n}.jpg", landmark) for landmark in "abcd" for n in range(10)), "test")
BENCHMARK = Gldv2Benchmark("b", ("a0",), ("a1", "b3"), {"a0": frozenset({"a1"})}, {"a0": ""}, 0, "x")


def test_no_landmark_of_the_benchmark_and_no_photograph_twice():
    validation, others = outside_benchmark(CATALOGUE, BENCHMARK, 5, 10, 5)
    used = [*validation.query_ids, *validation.index_ids, *others]
    assert {image_id[0] for image_id in used} == {"c", "d"}
    assert len(set(used)) == len(used)
    assert (len(validation.index_ids), len(others)) == (10, 5)
    assert len(validation.query_ids) + validation.queries_ignored == 5


def test_positives_are_the_index_images_of_the_landmark():
    validation, _ = outside_benchmark(CATALOGUE, BENCHMARK, 5, 10, 5)
    for query in validation.query_ids:
        assert validation.positives[query] == {image for image in validation.index_ids if image[0] == query[0]}


def test_the_seed_settles_the_draw():
    first, again, other = (outside_benchmark(CATALOGUE, BENCHMARK, 5, 10, 5, seed) for seed in (0, 0, 1))
    assert first == again
    assert first.others != other.others


def test_too_few():
    with pytest.raises(UserError, match="30 photographs of landmarks outside the benchmark; received 20"):
        outside_benchmark(CATALOGUE, BENCHMARK, 10, 10, 10)
    single = Catalogue((Entry("c0", "p", "c"), Entry("d0", "p", "d"), Entry("a0", "p", "a")), "test")
    with pytest.raises(UserError, match="a validation query with an index image"):
        outside_benchmark(single, BENCHMARK, 1, 1, 0)
