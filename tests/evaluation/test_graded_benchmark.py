"""Grades of a benchmark in which they are named otherwise."""

from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark


class Toy(GradedBenchmark):
    PROTOCOL, MAIN_GRADE, JUNK_RULE = "toy", "all", "left out"
    LABELS = ("near", "far", "junk")
    GRADES = {"all": (("near", "far"), ("junk",)), "far": (("far",), ("near", "junk"))}  # noqa: RUF012


def test_split_labelled_and_relevance():
    labels = {"near": frozenset({0}), "far": frozenset({1, 2}), "junk": frozenset({4})}
    toy = Toy("toy", ("q",), tuple("abcde"), ((0, 0, 1, 1),), (labels,), "")
    assert toy.split(0, "all") == ({0, 1, 2}, {4})
    assert toy.split(0, "far") == ({1, 2}, {0, 4})
    assert sorted(toy.labelled_ids("q")) == ["a", "b", "c", "e"]
    assert [toy.relevance("q", image) for image in "abcdex"] == ["near", "far", "far", "negative", "junk", "negative"]
