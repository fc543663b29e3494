import csv
import errno
import itertools
import os
from pathlib import Path

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import shards_by_threads, write_shard
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.photograph import read_photograph
from landmark_zoo.data.schema import parse_example
from landmark_zoo.data.shards import write_records

COUNTS = {"wonders/taj": 6, "petra": 4, "lonely": 1}


@pytest.fixture
def photos(photo_folder):
    return photo_folder(COUNTS)


def write(photos, directory, **options):
    options = {"split": "train", "num_shards": 3, "seed": 0, "max_side": 64} | options
    return write_records(read_folder([photos]), directory, **options)


def examples(manifest):
    return [parse_example(record) for record in tf.data.TFRecordDataset(manifest.files)]


def ids(manifest):
    return [example.id.numpy().decode() for example in examples(manifest)]


def content(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def test_records_hold_the_photographs(photos, tmp_path):
    manifest = write(photos, tmp_path / "r", max_side=40)
    assert [Path(file).name for file in manifest.files] == [f"train-0000{i}-of-00003.tfrecord" for i in range(3)]
    assert manifest.class_counts == (1, 4, 6)
    for example in examples(manifest):
        landmark = example.landmark_id.numpy().decode()
        original = read_photograph(photos / landmark / f"{example.id.numpy().decode()}.jpg", max_side=40)
        assert example.encoded.numpy() == original.encoded
        assert (int(example.height), int(example.width)) == (original.height, original.width) == (32, 40)
        assert int(example.label) == manifest.label_map.label(landmark)


def test_all_landmarks_are_mixed(photo_folder, tmp_path):
    manifest = write(photo_folder({"a": 20, "b": 20}), tmp_path / "r", num_shards=2)
    labels = [int(example.label) for example in examples(manifest)]
    assert 4 <= sum(labels[:20]) <= 16
    assert sum(a != b for a, b in itertools.pairwise(labels)) >= 8


@pytest.mark.parametrize("workers", [1, 5])
def test_bytes_depend_on_nothing_but_the_photographs(photos, tmp_path, workers):
    write(photos, tmp_path / "a", workers=2)
    write(photos, tmp_path / "b", workers=workers)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_another_seed_is_another_order_of_the_same(photos, tmp_path):
    first, second = ids(write(photos, tmp_path / "a")), ids(write(photos, tmp_path / "b", seed=1))
    assert first != second
    assert sorted(first) == sorted(second)


def test_never_more_files_than_photographs(photos, tmp_path):
    manifest = write(photos, tmp_path / "r", num_shards=100)
    assert [shard.examples for shard in manifest.shards] == [1] * 11


def test_a_given_label_map_is_kept(photos, tmp_path):
    label_map = LabelMap([*COUNTS, "another"])
    manifest = write(photos, tmp_path / "r", label_map=label_map)
    assert manifest.label_map == label_map
    assert manifest.class_counts == (0, 1, 4, 6)
    with pytest.raises(UserError, match="label map"):
        write(photos, tmp_path / "s", label_map=LabelMap(["petra"]))


def spoil(photos, picture, encode):
    (photos / "petra/empty.jpg").write_bytes(b"")
    (photos / "petra/cut.jpg").write_bytes(encode(picture(100, 100))[:-100])
    (photos / "petra/text.png").write_bytes(b"no picture")
    (photos / "petra/tiny.jpg").write_bytes(encode(picture(20, 20)))
    (photos / "petra/cmyk.jpg").write_bytes(encode(picture().convert("CMYK")))
    moving = encode(picture(), "WEBP", save_all=True, append_images=[picture(seed=1)])
    (photos / "petra/moving.webp").write_bytes(moving)


def test_bad_photographs_are_listed_and_left_out(photos, tmp_path, picture, encode):
    spoil(photos, picture, encode)
    manifest = write(photos, tmp_path / "r")
    assert (manifest.skipped, manifest.num_examples, manifest.class_counts) == (4, 13, (1, 6, 6))
    with open(tmp_path / "r" / "skipped.csv", newline="") as file:
        skipped = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    assert set(skipped) == {"empty", "cut", "text", "tiny"}
    assert "20 x 20" in skipped["tiny"]


def test_strict_names_a_bad_photograph(photos, tmp_path, picture, encode):
    spoil(photos, picture, encode)
    with pytest.raises(UserError, match=r"petra/\w+\.(jpg|png): "):
        write(photos, tmp_path / "r", strict=True)


def test_strict_does_not_accept_what_was_skipped_before(photos, tmp_path, picture, encode):
    spoil(photos, picture, encode)
    write(photos, tmp_path / "r")
    with pytest.raises(UserError, match="4 bad ones"):
        write(photos, tmp_path / "r", strict=True)


def test_only_bad_photographs_leave_nothing(photo_folder, tmp_path):
    photos = photo_folder({"a": 2})
    for path in photos.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"a readable photograph .* received 2 bad ones"):
        write(photos, tmp_path / "r")
    assert content(tmp_path / "r") == {}


def fail_at(monkeypatch, shard, error):
    write_record_file = write_shard.write_record_file

    def fail(path, records):
        if f"-{shard:05d}-of-" in str(path):
            raise error
        return write_record_file(path, records)

    monkeypatch.setattr(write_shard, "write_record_file", fail)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_run_goes_on_where_it_was(photos, tmp_path, monkeypatch, error):
    write(photos, tmp_path / "whole")
    with monkeypatch.context() as patch:
        fail_at(patch, 1, error)
        with pytest.raises(type(error)):
            write(photos, tmp_path / "r")
    kept = (tmp_path / "r/train-00000-of-00003.tfrecord").stat()
    assert not (tmp_path / "r/manifest.json").exists()

    write(photos, tmp_path / "r")

    assert content(tmp_path / "r") == content(tmp_path / "whole")
    assert (tmp_path / "r/train-00000-of-00003.tfrecord").stat().st_ino == kept.st_ino


def test_a_shard_without_its_note_is_written_again(photos, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        fail_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            write(photos, tmp_path / "r")
    (tmp_path / "r/.progress/train-00000-of-00003.tfrecord.json").unlink()
    (tmp_path / "r/train-00001-of-00003.tfrecord").write_bytes(b"cut off")
    (tmp_path / "r/.train-00002-of-00003.tfrecord.tmp").write_bytes(b"of a killed process")
    write(photos, tmp_path / "r")
    write(photos, tmp_path / "whole")
    assert content(tmp_path / "r") == content(tmp_path / "whole")


def test_a_finished_folder_is_left_as_it_is(photos, tmp_path, monkeypatch):
    first = write(photos, tmp_path / "r")
    monkeypatch.setattr(shards_by_threads, "make_record", None)
    assert write(photos, tmp_path / "r", workers=1) == first


@pytest.mark.parametrize("change", [{"seed": 1}, {"max_side": 50}, {"num_shards": 2}, {"split": "validation"}])
@pytest.mark.parametrize("finished", [True, False])
def test_records_of_another_plan_are_refused(photos, tmp_path, monkeypatch, change, finished):
    if finished:
        write(photos, tmp_path / "r")
    else:
        with monkeypatch.context() as patch:
            fail_at(patch, 1, KeyboardInterrupt())
            with pytest.raises(KeyboardInterrupt):
                write(photos, tmp_path / "r")
    before = sorted(os.listdir(tmp_path / "r"))
    with pytest.raises(UserError, match="Choose another output folder"):
        write(photos, tmp_path / "r", **change)
    assert sorted(os.listdir(tmp_path / "r")) == before


def test_other_photographs_are_another_plan(photos, tmp_path, picture):
    write(photos, tmp_path / "r")
    picture().save(photos / "petra/new.jpg")
    with pytest.raises(UserError, match="records of these photographs"):
        write(photos, tmp_path / "r")


def test_foreign_records_are_not_written_over(photos, tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r/train-00000-of-00003.tfrecord").write_bytes(b"somebody's")
    with pytest.raises(UserError, match="train-00000-of-00003"):
        write(photos, tmp_path / "r")


def test_another_writer_gives_the_same_files(photos, tmp_path):
    def one_by_one(directory, plan, todo):
        for name, entries in reversed(todo):
            write_shard.write_shard(directory, name, [shards_by_threads._made(entry, plan) for entry in entries])

    write(photos, tmp_path / "a")
    write(photos, tmp_path / "b", write_shards=one_by_one)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_writer_that_leaves_a_file_out_is_found_out(photos, tmp_path):
    with pytest.raises(UserError, match=r"all but 3, first train-00000-of-00003"):
        write(photos, tmp_path / "r", write_shards=lambda directory, plan, todo: None)


def test_the_photographs_are_listed_with_their_sizes(photos, tmp_path, picture, encode):
    (photos / "petra/large.jpg").write_bytes(encode(picture(100, 150)))
    (photos / "petra/empty.jpg").write_bytes(b"")
    write(photos, tmp_path / "r")
    with open(tmp_path / "r/photographs.csv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 13
    assert [rows["large"][name] for name in ("landmark_id", "original_height", "original_width")] == ["petra", "100", "150"]
    assert (rows["empty"]["original_height"], rows["empty"]["path"]) == ("", str(photos / "petra/empty.jpg"))
    assert rows["lonely_0"]["original_width"] == "64"


def test_pictures_as_they_are_stored(photos, tmp_path, picture, encode):
    turned = encode(picture(40, 60), exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")
    for path in photos.rglob("*.jpg"):
        path.write_bytes(turned)
    assert {(int(e.height), int(e.width)) for e in examples(write(photos, tmp_path / "a"))} == {(60, 40)}
    stored = write(photos, tmp_path / "b", max_side=None, upright=False)
    assert {e.encoded.numpy() for e in examples(stored)} == {turned}
    assert (stored.max_side, stored.upright) == (None, False)


def test_impossible_numbers_are_a_programmers_mistake(photos, tmp_path):
    with pytest.raises(ValueError, match="at least 1; received 0 and 2"):
        write(photos, tmp_path / "r", num_shards=0)


@pytest.mark.photographs
def test_real_photographs(shared_data, tmp_path):
    manifest = write(shared_data / "photos" / "indian" / "chhota_imambara", tmp_path / "r", max_side=512)
    assert (manifest.num_examples, manifest.skipped) == (40, 0)
