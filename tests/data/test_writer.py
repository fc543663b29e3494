
import contextlib
import csv
import errno
import itertools
import os
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import writer as module
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.image_list import ImageEntry
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.examples import MadeRecord, parse_example
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.data.shard_plan import ShardInfo, ShardPlan
from landmark_zoo.data.writer import damaged_shards, repair_shard, shards_by_threads, write_records, write_shard

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


def test_records_hold_the_images(photos, tmp_path):
    manifest = write(photos, tmp_path / "r", max_side=40)
    assert [Path(file).name for file in manifest.files] == [f"train-0000{i}-of-00003.tfrecord" for i in range(3)]
    assert manifest.class_counts == (1, 4, 6)
    for example in examples(manifest):
        landmark = example.landmark_id.numpy().decode()
        original = read_image(photos / landmark / f"{example.id.numpy().decode()}.jpg", max_side=40)
        assert example.encoded.numpy() == original.encoded
        assert (int(example.height), int(example.width)) == (original.height, original.width) == (32, 40)
        assert int(example.label) == manifest.label_map.label(landmark)


def test_all_landmarks_are_mixed(photo_folder, tmp_path):
    manifest = write(photo_folder({"a": 20, "b": 20}), tmp_path / "r", num_shards=2)
    labels = [int(example.label) for example in examples(manifest)]
    assert 4 <= sum(labels[:20]) <= 16
    assert sum(a != b for a, b in itertools.pairwise(labels)) >= 8


@pytest.mark.parametrize("workers", [1, 5])
def test_bytes_depend_on_nothing_but_the_images(photos, tmp_path, workers):
    write(photos, tmp_path / "a", workers=2)
    write(photos, tmp_path / "b", workers=workers)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_another_seed_is_another_order_of_the_same(photos, tmp_path):
    first, second = ids(write(photos, tmp_path / "a")), ids(write(photos, tmp_path / "b", seed=1))
    assert first != second
    assert sorted(first) == sorted(second)


def test_never_more_files_than_images(photos, tmp_path):
    manifest = write(photos, tmp_path / "r", num_shards=100)
    assert [shard.examples for shard in manifest.shards] == [1] * 11


def test_a_given_label_map_is_kept(photos, tmp_path):
    label_map = LabelMap([*COUNTS, "another"])
    manifest = write(photos, tmp_path / "r", label_map=label_map)
    assert manifest.label_map == label_map
    assert manifest.class_counts == (0, 1, 4, 6)
    with pytest.raises(UserError, match="label map"):
        write(photos, tmp_path / "s", label_map=LabelMap(["petra"]))


def spoil(photos, make_image, encode):
    (photos / "petra/empty.jpg").write_bytes(b"")
    (photos / "petra/cut.jpg").write_bytes(encode(make_image(100, 100))[:-100])
    (photos / "petra/text.png").write_bytes(b"no image")
    (photos / "petra/tiny.jpg").write_bytes(encode(make_image(20, 20)))
    (photos / "petra/cmyk.jpg").write_bytes(encode(make_image().convert("CMYK")))
    moving = encode(make_image(), "WEBP", save_all=True, append_images=[make_image(seed=1)])
    (photos / "petra/moving.webp").write_bytes(moving)


def test_bad_images_are_listed_and_left_out(photos, tmp_path, make_image, encode):
    spoil(photos, make_image, encode)
    manifest = write(photos, tmp_path / "r")
    assert (manifest.skipped, manifest.num_examples, manifest.class_counts) == (4, 13, (1, 6, 6))
    with open(tmp_path / "r" / "skipped.csv", newline="") as file:
        skipped = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    assert set(skipped) == {"empty", "cut", "text", "tiny"}
    assert "20 x 20" in skipped["tiny"]


def test_strict_names_a_bad_image(photos, tmp_path, make_image, encode):
    spoil(photos, make_image, encode)
    with pytest.raises(UserError, match=r"petra/\w+\.(jpg|png): "):
        write(photos, tmp_path / "r", strict=True)


def test_strict_does_not_accept_what_was_skipped_before(photos, tmp_path, make_image, encode):
    spoil(photos, make_image, encode)
    write(photos, tmp_path / "r")
    with pytest.raises(UserError, match="4 bad ones"):
        write(photos, tmp_path / "r", strict=True)


def test_only_bad_images_leave_nothing(photo_folder, tmp_path):
    photos = photo_folder({"a": 2})
    for path in photos.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"a readable photograph .* received 2 bad ones"):
        write(photos, tmp_path / "r")
    assert content(tmp_path / "r") == {}


def fail_at(monkeypatch, shard, error):
    write_record_file = module.write_record_file

    def fail(path, records):
        if f"-{shard:05d}-of-" in str(path):
            raise error
        return write_record_file(path, records)

    monkeypatch.setattr(module, "write_record_file", fail)


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
    monkeypatch.setattr(module, "make_record", None)
    assert write(photos, tmp_path / "r", workers=1) == first


def test_a_skipped_image_that_was_mended_is_taken(photos, tmp_path, make_image, encode, caplog):
    spoil(photos, make_image, encode)
    write(photos, tmp_path / "r")
    before = {path.name: path.stat().st_ino for path in (tmp_path / "r").glob("*.tfrecord")}
    (photos / "petra/empty.jpg").write_bytes(encode(make_image(seed=5)))
    manifest = write(photos, tmp_path / "r")
    assert (manifest.skipped, manifest.num_examples) == (3, 14)
    assert "empty" in ids(manifest)
    after = {path.name: path.stat().st_ino for path in (tmp_path / "r").glob("*.tfrecord")}
    [written] = [name for name in after if after[name] != before[name]]
    assert f"{written}: written again, as images that were skipped can be read: empty" in caplog.messages
    assert "3 images of train are left out as bad (skipped.csv), first " in caplog.messages[-1]
    write(photos, tmp_path / "whole")
    assert content(tmp_path / "r") == content(tmp_path / "whole")


def test_an_image_that_was_mended_between_two_interrupted_runs_is_taken(photos, tmp_path, monkeypatch, make_image, encode):
    spoil(photos, make_image, encode)
    with monkeypatch.context() as patch:
        fail_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            write(photos, tmp_path / "r")
    for path in photos.glob("petra/*.jpg"):
        path.write_bytes(encode(make_image(seed=5)))
    assert write(photos, tmp_path / "r").skipped == 1
    write(photos, tmp_path / "whole")
    assert content(tmp_path / "r")["skipped.csv"] == content(tmp_path / "whole")["skipped.csv"]


@pytest.mark.parametrize("number", range(3))
def test_a_run_that_takes_a_mended_image_may_be_interrupted(photos, tmp_path, monkeypatch, number, make_image, encode):
    spoil(photos, make_image, encode)
    write(photos, tmp_path / "r")
    for path in photos.glob("petra/[et]*"):
        path.write_bytes(encode(make_image(seed=5)))
    with monkeypatch.context() as patch:
        fail_at(patch, number, KeyboardInterrupt())
        with contextlib.suppress(KeyboardInterrupt):
            write(photos, tmp_path / "r")
    write(photos, tmp_path / "r")
    write(photos, tmp_path / "whole")
    assert content(tmp_path / "r") == content(tmp_path / "whole")


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


def test_other_images_are_another_plan(photos, tmp_path, make_image):
    write(photos, tmp_path / "r")
    make_image().save(photos / "petra/new.jpg")
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
            write_shard(directory, name, [module._made(entry, plan) for entry in entries])

    write(photos, tmp_path / "a")
    write(photos, tmp_path / "b", write_shards=one_by_one)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_writer_that_leaves_a_file_out_is_found_out(photos, tmp_path):
    with pytest.raises(UserError, match=r"all but 3, first train-00000-of-00003"):
        write(photos, tmp_path / "r", write_shards=lambda directory, plan, todo: None)


def test_the_images_are_listed_with_their_sizes(photos, tmp_path, make_image, encode):
    (photos / "petra/large.jpg").write_bytes(encode(make_image(100, 150)))
    (photos / "petra/empty.jpg").write_bytes(b"")
    write(photos, tmp_path / "r")
    with open(tmp_path / "r/photographs.csv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 13
    assert [rows["large"][name] for name in ("landmark_id", "original_height", "original_width")] == ["petra", "100", "150"]
    assert (rows["empty"]["original_height"], rows["empty"]["path"]) == ("", str(photos / "petra/empty.jpg"))
    assert rows["lonely_0"]["original_width"] == "64"


def test_images_as_they_are_stored(photos, tmp_path, make_image, encode):
    turned = encode(make_image(40, 60), exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")
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
def test_real_images(shared_data, tmp_path):
    manifest = write(shared_data / "photos" / "indian" / "chhota_imambara", tmp_path / "r", max_side=512)
    assert (manifest.num_examples, manifest.skipped) == (40, 0)


RESULTS = [(ImageEntry("a", "a.jpg", "x"), MadeRecord(b"one", (40, 60))),
           (ImageEntry("b", "b.jpg", "x"), InvalidImageError("empty file")),
           (ImageEntry("c", "c.jpg", "y"), MadeRecord(b"two", (50, 50)))]


def test_good_ones_are_written_and_bad_ones_noted(tmp_path):
    note = write_shard(tmp_path, "s.tfrecord", iter(RESULTS))
    assert list(tf.data.TFRecordDataset(str(tmp_path / "s.tfrecord")).as_numpy_iterator()) == [b"one", b"two"]
    assert note.shard.examples == 2
    assert note.skipped == (("b", "b.jpg", "empty file"),)
    assert note.original_sizes == ((40, 60), None, (50, 50))
    assert ShardInfo.load(tmp_path, "s.tfrecord") == note


def test_strict(tmp_path):
    with pytest.raises(UserError, match=r"b\.jpg: empty file"):
        write_shard(tmp_path, "s.tfrecord", iter(RESULTS), strict=True)
    assert not (tmp_path / "s.tfrecord").exists()


@pytest.fixture
def plan(photo_folder):
    image_list = read_folder([photo_folder({"a": 30})])
    return ShardPlan(image_list, "train", 3, 0, 64, LabelMap("a"))


def test_each_file_and_its_note(plan, tmp_path):
    todo = list(plan.shards())[1:]
    shards_by_threads(tmp_path, plan, todo, strict=False, workers=2)
    assert [ShardInfo.load(tmp_path, name) is not None for name, _ in plan.shards()] == [False, True, True]


def test_few_images_are_in_memory_at_a_time(plan, tmp_path, monkeypatch):
    begun, most, done = [], [], []
    make_record, write_shard = module.make_record, module.write_shard

    def counting(entry, label, **options):
        begun.append(entry)
        most.append(len(begun) - len(done))
        return make_record(entry, label, **options)

    def taking(directory, name, results, strict):
        return write_shard(directory, name, (done.append(result) or result for result in results), strict=strict)

    monkeypatch.setattr(module, "make_record", counting)
    monkeypatch.setattr(module, "write_shard", taking)
    shards_by_threads(tmp_path, plan, list(plan.shards()), strict=False, workers=2)
    assert len(done) == 30
    assert max(most) <= 2 * 4 + 1


def test_strict_stops_at_a_bad_image(plan, tmp_path):
    open(plan.entries[0].path, "wb").close()
    with pytest.raises(UserError, match="empty file"):
        shards_by_threads(tmp_path, plan, list(plan.shards()), strict=True, workers=2)


NAME = "train-00001-of-00003.tfrecord"


@pytest.fixture
def sound(photo_folder, tmp_path):
    """Records that lie beside the images they were made of."""
    photos = photo_folder({"wonders/taj": 10, "petra": 8, "10": 6})
    return write_records(read_folder([photos]), tmp_path / "train", split="train", num_shards=3, seed=0, max_side=64)


@pytest.mark.parametrize("damage", [
    lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes()[:500] + b"x" + path.read_bytes()[501:])])
def test_a_file_is_as_it_was(sound, damage):
    before = content(sound.directory)
    damage(sound.directory / NAME)
    assert damaged_shards(sound) == [NAME]
    repair_shard(sound, NAME)
    assert content(sound.directory) == before
    assert damaged_shards(sound) == []


def test_images_that_moved(sound, tmp_path):
    before = content(sound.directory)
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    (sound.directory / NAME).unlink()
    with pytest.raises(UserError, match=r"first bad photograph .*no such file"):
        repair_shard(sound, NAME)
    repair_shard(sound, NAME, tmp_path / "elsewhere")
    assert content(sound.directory) == before


def test_other_images_replace_nothing(sound, tmp_path, make_image):
    for path in (tmp_path / "photos").rglob("*.jpg"):
        make_image(seed=99).save(path)
    damaged = sound.directory / NAME
    damaged.write_bytes(b"damaged")
    with pytest.raises(UserError, match="Check --photos"):
        repair_shard(sound, NAME)
    assert damaged.read_bytes() == b"damaged"
    assert not list(sound.directory.glob("*.repaired"))


def test_a_changed_list_is_refused(sound):
    path = sound.directory / "photographs.csv"
    path.write_text(path.read_text().replace("petra_0,", "petra_x,"))
    with pytest.raises(UserError, match="a list of others"):
        repair_shard(sound, NAME)


def test_records_without_a_list(sound):
    (sound.directory / "photographs.csv").unlink()
    with pytest.raises(UserError, match=r"photographs\.csv"):
        repair_shard(sound, NAME)


def test_bad_images_stay_left_out(photo_folder, tmp_path):
    photos = photo_folder({"a": 6})
    (photos / "a/empty.jpg").write_bytes(b"")
    manifest = write_records(read_folder([photos]), tmp_path / "train", split="train", num_shards=1, seed=0, max_side=64)
    before = content(manifest.directory)
    (manifest.directory / manifest.shards[0].name).unlink()
    shutil.move(photos, tmp_path / "moved")
    repair_shard(manifest, manifest.shards[0].name, tmp_path / "moved")
    assert content(manifest.directory) == before
