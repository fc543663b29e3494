import os

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis import collection as measuring
from landmark_zoo.data.analysis.collection import Collection, MeasuredImages, measure_images
from landmark_zoo.data.analysis.images import ImageSplit, images_from_files
from landmark_zoo.data.analysis.measures import MEASURES
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.images import InvalidImageError


def part(name, ids, readable=True):
    table = np.zeros(len(ids), MEASURES)
    table["readable"] = readable
    faults = {} if readable else dict.fromkeys(range(len(ids)), "empty file")
    return MeasuredImages(ImageSplit(name, ids, [f"L{image_id}" for image_id in ids], [],
                                     lambda number: f"{name}{ids[number]}".encode()), table, faults)


def test_numbers_run_through_all_parts():
    collection = Collection([part("train", ["a", "b"]), part("index", []), part("queries", ["a"])], data_parts=1)
    assert (len(collection), collection.data_size) == (3, 2)
    assert collection.part_of.tolist() == [0, 0, 2]
    assert [collection.name(number) for number in range(3)] == ["train", "train", "queries"]
    assert (collection.id(2), collection.landmark(1), collection.read(2)) == ("a", "Lb", b"queriesa")


def test_data_without_a_readable_image_are_refused_with_the_reason():
    with pytest.raises(UserError, match=r"2 that are not \(empty file\)"):
        Collection([part("train", ["a", "b"], readable=False), part("index", ["c"])], data_parts=1)


@pytest.fixture
def folder(photo_folder):
    folder = photo_folder({"a": 3, "b": 2})
    (folder / "a/a_1.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture
def counted(monkeypatch):
    measures = []
    original = measuring.measure_image
    monkeypatch.setattr(measuring, "measure_image", lambda data: (measures.append(1), original(data))[1])
    return measures


def test_bad_images_are_counted_with_their_reason(folder, tmp_path):
    result = measure_images(images_from_files("train", read_folder([folder]).entries), tmp_path / "measures")
    assert result.table["readable"].tolist() == [True, False, True, True, True]
    assert list(result.faults) == [1]
    assert "not an image" in result.faults[1]
    assert result.table["width"].tolist() == [64, 0, 64, 64, 64]


def test_only_blocks_that_changed_are_measured_again(folder, counted, tmp_path):
    def result():
        images = images_from_files("train", read_folder([folder]).entries, block_size=2)
        return measure_images(images, tmp_path / "measures")
    first = result()
    assert len(counted) == 5
    second = result()
    assert len(counted) == 6  # the bad image, which may have been mended
    assert first.table.tobytes() == second.table.tobytes()
    assert first.faults == second.faults
    os.utime(folder / "b/b_1.jpg", ns=(1, 1))
    result()
    assert len(counted) == 8


def test_a_bad_image_that_can_be_read_is_measured(folder, tmp_path, monkeypatch):
    images = images_from_files("train", read_folder([folder]).entries)
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "measure_image", raising)
        assert len(measure_images(images, tmp_path).faults) == 5
    assert list(measure_images(images, tmp_path).faults) == [1]


def raising(_):
    raise InvalidImageError("permission denied")


def test_broken_measures_are_made_anew(folder, counted, tmp_path):
    images = images_from_files("train", read_folder([folder]).entries)
    measure_images(images, tmp_path)
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:40])
    assert len(measure_images(images, tmp_path).table) == 5
    assert len(counted) == 10
