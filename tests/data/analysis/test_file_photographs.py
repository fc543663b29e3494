import os

import pytest

from landmark_zoo.data.analysis import file_photographs as module
from landmark_zoo.data.analysis.file_photographs import file_photographs
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.photograph import BadPhotograph


@pytest.fixture
def entries(photo_folder):
    return read_folder([photo_folder({"a": 3, "b": 2})]).entries


def test_reads_the_files_in_their_order(entries):
    photographs = file_photographs("train", entries, ["gone"])
    assert (photographs.part, len(photographs), list(photographs.missing)) == ("train", 5, ["gone"])
    assert photographs.landmarks == ["a"] * 3 + ["b"] * 2
    with open(entries[3].path, "rb") as file:
        assert photographs.read(3) == file.read()


def test_a_block_changes_its_fingerprint_when_one_of_its_files_changes(entries, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 2)
    before = file_photographs("train", entries).blocks
    assert [(block.start, block.stop) for block in before] == [(0, 2), (2, 4), (4, 5)]
    os.utime(entries[3].path, ns=(1, 1))
    after = file_photographs("train", entries).blocks
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_a_file_that_is_gone_is_a_bad_photograph(entries):
    os.remove(entries[1].path)
    photographs = file_photographs("train", entries)
    with pytest.raises(BadPhotograph, match="no such file"):
        photographs.read(1)
