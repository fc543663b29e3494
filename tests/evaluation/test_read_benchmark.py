"""Finding out what a benchmark folder holds."""

import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.oxford import OxfordBenchmark
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


def test_the_first_benchmarks_are_known_by_name_or_asked_for(tmp_path):
    assert isinstance(read_benchmark(None, write_revisited(tmp_path, "gnd_oxford5k.json")), OxfordBenchmark)
    other = write_revisited(tmp_path, "gnd_toy.json")
    assert isinstance(read_benchmark(None, other, protocol="oxford"), OxfordBenchmark)
    paris = write_revisited(tmp_path, "gnd_paris6k.json")
    assert isinstance(read_benchmark(None, paris, protocol="revisited"), RevisitedBenchmark)


def test_text_files_with_the_pictures_beside_them(tmp_path):
    for place in ("gt_files", "jpg"):
        (tmp_path / place).mkdir()
    for name in ("a", "b", "c", "paris_louvre_000136"):
        (tmp_path / "jpg" / f"{name}.jpg").touch()
    for kind, text in {"query": "oxc1_a 1 2 30 40", "good": "a", "ok": "b", "junk": "c"}.items():
        (tmp_path / "gt_files" / f"tower_1_{kind}.txt").write_text(text)
    benchmark = read_benchmark(tmp_path)
    assert isinstance(benchmark, OxfordBenchmark)
    assert benchmark.index_ids == ("a", "b", "c")
    assert read_benchmark(None, tmp_path / "gt_files", photos=tmp_path / "jpg").labels == benchmark.labels
    with pytest.raises(UserError, match="Give --photos"):
        read_benchmark(None, tmp_path / "gt_files")


def test_one_folder_per_landmark_is_never_guessed(tmp_path):
    for name in ("tower/a.jpg", "tower/b.jpg", "bridge/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert isinstance(read_benchmark(tmp_path, protocol="folder"), FolderBenchmark)
    with pytest.raises(UserError, match=r"test\.csv"):
        read_benchmark(tmp_path)


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
