"""One's own photographs as a benchmark."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_every_photograph_asks_for_the_others_of_its_landmark(tmp_path):
    put(tmp_path, "tower/a.jpg", "tower/b.jpg", "tower/c.png", "bridge/d.jpg", "bridge/e.jpg", "gate/f.jpg")
    benchmark = FolderBenchmark.read(tmp_path)
    assert sorted(benchmark.query_ids) == ["a", "b", "c", "d", "e"]
    assert sorted(benchmark.index_ids) == ["a", "b", "c", "d", "e", "f"]
    assert benchmark.queries_ignored == 1
    assert (benchmark.positives("a"), benchmark.labelled_ids("a")) == ({"b", "c"}, {"a", "b", "c"})
    assert benchmark.paths["c"].name == "c.png"


def test_the_checksum_is_that_of_photographs_and_landmarks(tmp_path):
    put(tmp_path / "one", "tower/a.jpg", "tower/b.jpg")
    put(tmp_path / "two", "tower/b.jpg", "tower/a.jpg")
    put(tmp_path / "other", "bridge/a.jpg", "bridge/b.jpg")
    one, two, other = (FolderBenchmark.read(tmp_path / name).ground_truth_sha256 for name in ("one", "two", "other"))
    assert one == two != other


def test_faults(tmp_path):
    with pytest.raises(UserError, match="a folder at"):
        FolderBenchmark.read(tmp_path / "absent")
    put(tmp_path, "tower/a.jpg", "bridge/b.jpg")
    with pytest.raises(UserError, match="a landmark with two photographs"):
        FolderBenchmark.read(tmp_path)
