"""A list on disk: as a sequence, refusals, memory."""

import subprocess
import sys
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


def peak_of_writing(path, count):
    """Bytes of Python's and NumPy's memory, in a process of its own: other tests' threads would count too."""
    program = f"""
import tracemalloc
from landmark_zoo.retrieval.at_scale.picture_list import PictureList
from tests.retrieval.at_scale.test_picture_list import pictures
tracemalloc.start()
listed = PictureList.write({str(path)!r}, pictures({count}))
assert len(listed) == {count}
print(tracemalloc.get_traced_memory()[1])
"""
    return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)


def test_a_name_takes_a_few_bytes(tmp_path):
    few, many = (peak_of_writing(tmp_path / str(count), count) for count in (10_000, 210_000))
    assert many - few < 200_000 * 32  # 17, and what pathlib keeps of the names
