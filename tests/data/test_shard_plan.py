import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.shard_plan import ShardPlan


def plan(count=10, num_shards=3, **changes):
    entries = tuple(Entry(f"p{i}", f"{i}.jpg", "ab"[i % 2]) for i in range(count))
    options = {"split": "train", "seed": 0, "max_side": 512, "label_map": LabelMap("ab")} | changes
    return ShardPlan(Catalogue(entries, "a test"), num_shards=num_shards, **options)


@given(count=st.integers(1, 60), data=st.data())
def test_shards_part_the_photographs_evenly(count, data):
    num_shards = data.draw(st.integers(1, count))
    shards = list(plan(count, num_shards).shards())
    sizes = [len(entries) for _, entries in shards]
    assert len(shards) == num_shards
    assert max(sizes) - min(sizes) <= 1
    assert sorted(entry.id for _, entries in shards for entry in entries) == sorted(f"p{i}" for i in range(count))


def test_names():
    assert [name for name, _ in plan().shards()] == [f"train-0000{i}-of-00003.tfrecord" for i in range(3)]


def test_order_of_the_catalogue_does_not_matter():
    catalogue = plan().catalogue
    turned = dataclasses.replace(plan(), catalogue=dataclasses.replace(catalogue, entries=catalogue.entries[::-1]))
    assert turned.entries == plan().entries
    assert turned.fingerprint == plan().fingerprint


@pytest.mark.parametrize("change", [{"count": 9}, {"num_shards": 2}, {"split": "validation"}, {"seed": 1},
                                    {"max_side": 256}, {"label_map": LabelMap("abc")}])
def test_whatever_changes_the_records_changes_the_fingerprint(change):
    assert plan(**change).fingerprint != plan().fingerprint


def test_an_unknown_landmark_is_a_user_error():
    with pytest.raises(UserError, match="'b'"):
        plan(label_map=LabelMap("a")).labels  # noqa: B018
