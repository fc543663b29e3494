"""Benchmarks in GLDv2's csv formats."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark

FILES = {
    "test.csv": "id\nq1\nq2\nq3\nq4\n",
    "index.csv": "id\na\nb\nc\n",
    "retrieval_solution.csv": "id,images,Usage\nq2,a b,Private\nq1,c,Public\nq3,None,Ignored\nq4,a,Ignored\n",
}


@pytest.fixture
def write(tmp_path):
    def write_files(**changed):
        folder = tmp_path / "bench"
        folder.mkdir()
        for name, text in {**FILES, **changed}.items():
            if text is not None:
                (folder / name).write_text(text)
        return folder
    return write_files


def test_ignored_queries_do_not_count(write):
    folder = write()
    benchmark = Gldv2Benchmark.read(folder)
    assert benchmark.name == "bench"
    assert benchmark.query_ids == ("q1", "q2")
    assert benchmark.index_ids == ("a", "b", "c")
    assert benchmark.positives == {"q1": {"c"}, "q2": {"a", "b"}}
    assert benchmark.usage == {"q1": "Public", "q2": "Private"}
    assert benchmark.queries_ignored == 2
    assert benchmark.ground_truth_sha256 == sha256(folder / "retrieval_solution.csv")


def test_names_of_the_release_are_found(write):
    text = FILES["retrieval_solution.csv"]
    assert Gldv2Benchmark.read(write(**{"retrieval_solution.csv": None, "retrieval_solution_v2.1.csv": text})).positives


def test_usage_may_be_absent(write):
    benchmark = Gldv2Benchmark.read(write(**{"retrieval_solution.csv": "id,images\nq1,a\nq2,None\n"}))
    assert benchmark.usage == {"q1": ""}
    assert benchmark.queries_ignored == 3


@pytest.mark.parametrize(("changed", "message"), [
    ({"index.csv": None}, r"index\.csv or index_v2\.1\.csv"),
    ({"index.csv": "name\na\n"}, "column id"),
    ({"index.csv": "id\na\nb\n"}, "positives of query q1 .* received c"),
    ({"index.csv": "id\na\na\nb\nc\n"}, "each id once"),
    ({"test.csv": "id\nq1\n"}, "list of queries; received q2"),
    ({"retrieval_solution.csv": "id,Usage\nq1,Public\n"}, "column images"),
    ({"retrieval_solution.csv": "id,images\nq1,a\nq1,b\n"}, "q1 twice"),
    ({"retrieval_solution.csv": "id,images\nq1,None\n"}, "a query with positives"),
])
def test_faults_are_named(write, changed, message):
    with pytest.raises(UserError, match=message):
        Gldv2Benchmark.read(write(**changed))


def test_more_positives_than_a_csv_cell_usually_holds(write):
    ids = [f"{number:016x}" for number in range(12_000)]
    benchmark = Gldv2Benchmark.read(write(**{
        "index.csv": "id\n" + "\n".join(ids) + "\n",
        "retrieval_solution.csv": f"id,images,Usage\nq1,{' '.join(ids)},Public\n"}))
    assert len(benchmark.positives["q1"]) == 12_000


@pytest.mark.photographs
def test_the_provence_benchmark(shared_data):
    benchmark = Gldv2Benchmark.read(shared_data / "benchmarks" / "provence")
    assert (len(benchmark.query_ids), len(benchmark.index_ids), benchmark.queries_ignored) == (78, 749, 0)
    assert sorted(benchmark.usage.values()) == ["Private"] * 39 + ["Public"] * 39
