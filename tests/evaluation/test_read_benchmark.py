"""Finding out what a benchmark folder holds."""

import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.read_benchmark import read_benchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark


def write_gldv2(folder):
    (folder / "test.csv").write_text("id\nq\n")
    (folder / "index.csv").write_text("id\na\n")
    (folder / "retrieval_solution.csv").write_text("id,images,Usage\nq,a,Public\n")


def write_revisited(folder, name="gnd_toy.json"):
    truth = {"imlist": ["a"], "qimlist": ["q"], "gnd": [{"bbx": [0, 0, 9, 9], "easy": [0], "hard": [], "junk": []}]}
    (folder / name).write_text(json.dumps(truth))
    return folder / name


def test_the_kind_is_found(tmp_path):
    write_gldv2(tmp_path)
    assert isinstance(read_benchmark(tmp_path), Gldv2Benchmark)
    write_revisited(tmp_path)
    assert isinstance(read_benchmark(tmp_path), RevisitedBenchmark)
    assert isinstance(read_benchmark(tmp_path, protocol="gldv2_retrieval"), Gldv2Benchmark)


def test_ground_truth_may_lie_elsewhere(tmp_path):
    assert read_benchmark(None, write_revisited(tmp_path)).name == "toy"


def test_json_is_read_where_a_pickle_of_the_same_name_lies_beside_it(tmp_path):
    write_revisited(tmp_path)
    (tmp_path / "gnd_toy.pkl").write_bytes(b"not read")
    assert read_benchmark(tmp_path).name == "toy"


def test_faults(tmp_path):
    with pytest.raises(UserError, match="Give --benchmark"):
        read_benchmark(None)
    with pytest.raises(UserError, match="a folder at"):
        read_benchmark(tmp_path / "absent")
    with pytest.raises(UserError, match=r"test\.csv"):
        read_benchmark(tmp_path)
    with pytest.raises(UserError, match="received none"):
        read_benchmark(tmp_path, protocol="revisited")
    write_revisited(tmp_path)
    write_revisited(tmp_path, "gnd_other.json")
    with pytest.raises(UserError, match="received gnd_other, gnd_toy"):
        read_benchmark(tmp_path)
