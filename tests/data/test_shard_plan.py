import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.manifest import LabelMap, Shard
from landmark_zoo.data.shard_plan import ShardInfo, ShardPlan, read_image_list, write_image_list


def plan(count=10, num_shards=3, **changes):
    entries = tuple(ImageEntry(f"p{i}", f"{i}.jpg", "ab"[i % 2]) for i in range(count))
    options = {"split": "train", "seed": 0, "max_side": 512, "label_map": LabelMap("ab")} | changes
    return ShardPlan(ImageList(entries, "a test"), num_shards=num_shards, **options)


@given(count=st.integers(1, 60), data=st.data())
def test_shards_part_the_images_evenly(count, data):
    num_shards = data.draw(st.integers(1, count))
    shards = list(plan(count, num_shards).shards())
    sizes = [len(entries) for _, entries in shards]
    assert len(shards) == num_shards
    assert max(sizes) - min(sizes) <= 1
    assert sorted(entry.id for _, entries in shards for entry in entries) == sorted(f"p{i}" for i in range(count))


def test_names():
    assert [name for name, _ in plan().shards()] == [f"train-0000{i}-of-00003.tfrecord" for i in range(3)]


def test_order_of_the_list_does_not_matter():
    image_list = plan().image_list
    turned = dataclasses.replace(plan(), image_list=dataclasses.replace(image_list, entries=image_list.entries[::-1]))
    assert turned.entries == plan().entries
    assert turned.fingerprint == plan().fingerprint


@pytest.mark.parametrize("change", [{"count": 9}, {"num_shards": 2}, {"split": "validation"}, {"seed": 1},
                                    {"max_side": 256}, {"label_map": LabelMap("abc")}])
def test_whatever_changes_the_records_changes_the_fingerprint(change):
    assert plan(**change).fingerprint != plan().fingerprint


def test_an_unknown_landmark_is_a_user_error():
    with pytest.raises(UserError, match="'b'"):
        plan(label_map=LabelMap("a")).labels  # noqa: B018


NOTE = ShardInfo(Shard("train-00000-of-00001.tfrecord", 1, 4, "ab"), (("x", "x.jpg", "empty file"),), ((40, 60), None))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / NOTE.shard.name).write_bytes(b"1234")
    NOTE.save(tmp_path)
    return tmp_path


def test_round_trip(folder):
    assert ShardInfo.load(folder, NOTE.shard.name) == NOTE


def test_a_note_counts_only_beside_its_whole_file(folder):
    (folder / NOTE.shard.name).write_bytes(b"123")
    assert ShardInfo.load(folder, NOTE.shard.name) is None
    (folder / NOTE.shard.name).unlink()
    assert ShardInfo.load(folder, NOTE.shard.name) is None


def test_no_note(tmp_path):
    assert ShardInfo.load(tmp_path, "a.tfrecord") is None


ENTRIES = [ImageEntry("a", "/photos/a, b.jpg", "Château"), ImageEntry("b", "/photos/b.jpg", "7")]


def test_image_list_round_trip(tmp_path):
    write_image_list(tmp_path, ENTRIES, [(40, 60), None])
    assert read_image_list(tmp_path) == ENTRIES
    assert (tmp_path / "photographs.csv").read_text().splitlines()[1:] == [
        'a,"/photos/a, b.jpg",Château,40,60', "b,/photos/b.jpg,7,,"]


def test_no_list(tmp_path):
    with pytest.raises(UserError, match=r"photographs\.csv"):
        read_image_list(tmp_path)
