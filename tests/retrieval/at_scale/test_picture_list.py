"""A list on disk: as a sequence, refusals, memory."""

import tracemalloc
from pathlib import Path

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.at_scale.picture_list import PictureList
from landmark_zoo.retrieval.picture import Picture


def pictures(count):
    return (Picture(f"p{number}", Path(f"folder/é{number}.jpg"), (1.0, 2.0, 30.5, 40.0) if number % 2 else None)
            for number in range(count))


def test_it_is_the_sequence_that_was_written(tmp_path):
    listed, expected = PictureList.write(tmp_path / "list.jsonl", pictures(700)), list(pictures(700))
    assert len(listed) == 700
    assert list(listed) == expected
    assert listed[255:258] == expected[255:258]
    assert listed[690:800] == expected[690:]
    assert listed[5:5] == []
    assert (listed[0], listed[-1]) == (expected[0], expected[-1])
    assert PictureList(tmp_path / "list.jsonl")[512] == expected[512]
    with pytest.raises(IndexError):
        listed[700]
    with pytest.raises(ValueError, match="without a step"):
        listed[::2]


def test_no_picture_and_one_twice_are_refused(tmp_path):
    with pytest.raises(UserError, match="photographs to embed; received none"):
        PictureList.write(tmp_path / "list.jsonl", [])
    with pytest.raises(UserError, match="every id once; received p3 twice"):
        PictureList.write(tmp_path / "list.jsonl", [*pictures(9), Picture("p3", Path("x"))])
    assert list(tmp_path.iterdir()) == []


def test_two_hundred_thousand_names_take_a_few_megabytes(tmp_path):
    tracemalloc.start()
    listed = PictureList.write(tmp_path / "list.jsonl", pictures(200_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(listed) == 200_000
    assert peak < 16e6
