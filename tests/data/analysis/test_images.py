import io
import os
import shutil

import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.images import (
    Block,
    ImageSplit,
    images_from_files,
    images_from_records,
    read_benchmark,
    read_data,
)
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.images import InvalidImageError


def test_len_of_an_image_split():
    images = ImageSplit("train", ["a", "b"], ["x", ""], [Block(0, 2, "f")], lambda number: b"%d" % number)
    assert len(images) == 2
    assert images.read(1) == b"1"
    assert images.missing == ()


@pytest.fixture
def entries(photo_folder):
    return read_folder([photo_folder({"a": 3, "b": 2})]).entries


def test_reads_the_files_in_their_order(entries):
    images = images_from_files("train", entries, ["gone"])
    assert (images.name, len(images), list(images.missing)) == ("train", 5, ["gone"])
    assert images.landmarks == ["a"] * 3 + ["b"] * 2
    with open(entries[3].path, "rb") as file:
        assert images.read(3) == file.read()


def test_a_block_changes_its_fingerprint_when_one_of_its_files_changes(entries):
    before = images_from_files("train", entries, block_size=2).blocks
    assert [(block.start, block.stop) for block in before] == [(0, 2), (2, 4), (4, 5)]
    os.utime(entries[3].path, ns=(1, 1))
    after = images_from_files("train", entries, block_size=2).blocks
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_missing_file_is_a_bad_image(entries):
    os.remove(entries[1].path)
    images = images_from_files("train", entries)
    with pytest.raises(InvalidImageError, match="no such file"):
        images.read(1)


def test_reads_each_record_by_its_number(records):
    manifest = records({"a": 5, "b/c": 4}, num_shards=3)
    images = images_from_records(manifest)
    assert images.name == "train"
    assert len(images) == 9
    assert sorted(images.landmarks) == ["a"] * 5 + ["b/c"] * 4
    for number, (image_id, landmark) in enumerate(zip(images.ids, images.landmarks, strict=True)):
        assert image_id.startswith(landmark.replace("/", "_"))
        assert Image.open(io.BytesIO(images.read(number))).size == (64, 48)


def test_a_record_file_is_a_block(records):
    manifest = records({"a": 5, "b": 4}, num_shards=3)
    blocks = images_from_records(manifest).blocks
    assert [block.stop - block.start for block in blocks] == [shard.examples for shard in manifest.shards]
    assert [block.fingerprint for block in blocks] == [shard.sha256 for shard in manifest.shards]
    assert (blocks[0].start, blocks[-1].stop) == (0, 9)


def test_read_data_of_folders(photo_folder):
    one, other = photo_folder({"a": 2, "b": 1}, "one"), photo_folder({"c": 1}, "other")
    [images] = read_data([one])
    assert images.landmarks == ["a", "a", "b"]
    [images] = read_data([one, other])
    assert sorted(images.landmarks) == ["a", "a", "b", "c"]


def test_read_data_of_records(records):
    manifest = records({"a": 4, "b": 3}, name="all/train")
    assert [(part.name, len(part)) for part in read_data([manifest.directory.parent])] == [("train", 7)]
    assert [(part.name, len(part)) for part in read_data([manifest.directory])] == [("train", 7)]


def test_read_data_of_a_csv_file(photo_folder, tmp_path):
    photo_folder({"a": 2})
    write_csv(tmp_path / "list.csv", ["name", "file", "shows"], [("p", "photos/a/a_0.jpg", "x"), ("q", "gone.jpg", "x")])
    [images] = read_data([tmp_path / "list.csv"], columns=["name", "file", "shows"])
    assert (images.ids, images.landmarks, images.missing) == (["p"], ["x"], ("q",))
    with pytest.raises(UserError, match="three --columns"):
        read_data([tmp_path / "list.csv"], columns=["name"])


def test_read_data_of_gldv2(photo_folder, tmp_path):
    source = photo_folder({"a": 2})
    for number in range(2):
        folder = tmp_path / "gldv2/train/0/0/0"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / f"a/a_{number}.jpg", folder / f"000{number}.jpg")
    write_csv(tmp_path / "gldv2/train.csv", ["id", "url", "landmark_id"], [("0000", "", "7"), ("0001", "", "8")])
    write_csv(tmp_path / "gldv2/train_clean.csv", ["landmark_id", "images"], [("7", "0000")])
    assert read_data([tmp_path / "gldv2"])[0].landmarks == ["7", "8"]
    assert read_data([tmp_path / "gldv2"], clean=True)[0].landmarks == ["7"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_nothing_to_read(tmp_path, make):
    make(tmp_path / "data")
    with pytest.raises(UserError, match=r"received (nothing|none|a file)"):
        read_data([tmp_path / "data"])


@pytest.fixture
def benchmark(photo_folder, tmp_path):
    photo_folder({"a": 3})
    folder = tmp_path / "benchmark"
    write_csv(folder / "index.csv", ["id"], [("a_0",), ("a_1",), ("gone",)])
    write_csv(folder / "test_v2.1.csv", ["id"], [("a_2",)])
    return folder


def test_read_benchmark(benchmark, tmp_path):
    index, queries = read_benchmark(benchmark, tmp_path / "photos")
    assert (index.name, index.ids, index.landmarks, list(index.missing)) == ("index", ["a_0", "a_1"], ["", ""], ["gone"])
    assert (queries.name, queries.ids) == ("queries", ["a_2"])


def test_read_benchmark_with_landmarks(benchmark, tmp_path):
    write_csv(benchmark / "index_image_to_landmark.csv", ["id", "landmark_id"], [("a_1", "9")])
    assert read_benchmark(benchmark, tmp_path / "photos")[0].landmarks == ["", "9"]


def test_an_id_of_the_training_set_is_not_taken_for_one_of_the_index(benchmark, tmp_path):
    photos = tmp_path / "gldv2"
    for part, source in (("train", "a_0"), ("index", "a_2"), ("test", "a_2")):
        (photos / part).mkdir(parents=True)
        shutil.copy(tmp_path / "photos/a" / f"{source}.jpg", photos / part / "a_0.jpg")
    shutil.copy(photos / "test/a_0.jpg", photos / "test/a_2.jpg")
    index, _ = read_benchmark(benchmark, photos)
    assert index.read(0) == (tmp_path / "photos/a/a_2.jpg").read_bytes()


def test_read_benchmark_without_lists_or_images(benchmark, tmp_path):
    write_csv(benchmark / "test_v2.1.csv", ["id"], [("../a_2",)])
    with pytest.raises(UserError, match="lie below its folder"):
        read_benchmark(benchmark, tmp_path / "photos")
    with pytest.raises(UserError, match=r"index\.csv"):
        read_benchmark(tmp_path, tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="--photos"):
        read_benchmark(benchmark, tmp_path / "empty")
