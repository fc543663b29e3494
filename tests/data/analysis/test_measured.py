import os

import pytest

from landmark_zoo.data.analysis import file_photographs as module
from landmark_zoo.data.analysis import measured as measuring
from landmark_zoo.data.analysis.file_photographs import file_photographs
from landmark_zoo.data.analysis.measured import measured
from landmark_zoo.data.folder import read_folder


@pytest.fixture
def folder(photo_folder):
    folder = photo_folder({"a": 3, "b": 2})
    (folder / "a/a_1.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def counted(monkeypatch):
    measures = []
    original = measuring.measure
    monkeypatch.setattr(measuring, "measure", lambda data: (measures.append(1), original(data))[1])
    monkeypatch.setattr(module, "BLOCK", 2)
    return measures


def test_bad_photographs_are_counted_with_their_reason(folder, tmp_path):
    result = measured(file_photographs("train", read_folder([folder]).entries), tmp_path / "measures")
    assert result.table["readable"].tolist() == [True, False, True, True, True]
    assert list(result.faults) == [1]
    assert "not a picture" in result.faults[1]
    assert result.table["width"].tolist() == [64, 0, 64, 64, 64]


def test_only_blocks_that_changed_are_measured_again(folder, counted, tmp_path):
    def result():
        return measured(file_photographs("train", read_folder([folder]).entries), tmp_path / "measures")
    first = result()
    assert len(counted) == 5
    second = result()
    assert len(counted) == 5
    assert first.table.tobytes() == second.table.tobytes()
    assert first.faults == second.faults
    os.utime(folder / "b/b_1.jpg", ns=(1, 1))
    result()
    assert len(counted) == 6


def test_broken_measures_are_made_anew(folder, counted, tmp_path):
    photographs = file_photographs("train", read_folder([folder]).entries)
    measured(photographs, tmp_path)
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:40])
    assert len(measured(photographs, tmp_path).table) == 5
    assert len(counted) == 10
