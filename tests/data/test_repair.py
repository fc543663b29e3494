import shutil

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.repair import damaged_shards, repair_shard
from landmark_zoo.data.writer import write_records

NAME = "train-00001-of-00003.tfrecord"


@pytest.fixture
def sound(photo_folder, tmp_path):
    """Records that lie beside the images they were made of."""
    photos = photo_folder({"wonders/taj": 10, "petra": 8, "10": 6})
    return write_records(read_folder([photos]), tmp_path / "train", split="train", num_shards=3, seed=0, max_side=64)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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
