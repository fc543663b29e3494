import json
from pathlib import Path

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import MANIFEST, read_manifest


def test_round_trip(records):
    manifest = records({"a": 3, "b": 5, "10": 2}, num_shards=3)
    again = read_manifest(str(manifest.directory))
    assert again == manifest
    assert (again.num_examples, again.num_classes, again.class_counts) == (10, 3, (2, 3, 5))
    assert list(again.label_map) == ["10", "a", "b"]
    assert again.split == "train"
    assert [shard.examples for shard in again.shards] == [3, 3, 4]


def test_files_are_absolute(records, monkeypatch):
    directory = records({"a": 4}).directory
    monkeypatch.chdir(directory.parent)
    files = read_manifest(directory.name).files
    assert all(Path(file).is_absolute() and Path(file).is_file() for file in files)


def test_a_moved_folder_is_read_where_it_is(records):
    directory = records({"a": 4}).directory
    moved = directory.rename(directory.with_name("moved"))
    assert read_manifest(moved).files[0].startswith(str(moved))


def test_unfinished_records(tmp_path):
    with pytest.raises(UserError, match="finished records"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_missing_or_cut_record_files(records, damage):
    manifest = records({"a": 4})
    damage(Path(manifest.files[1]))
    with pytest.raises(UserError, match="train-00001-of-00004"):
        read_manifest(manifest.directory)


@pytest.mark.parametrize("change", [
    {"version": 2}, {"shards": None}, {"num_examples": 5}, {"class_counts": [3, 2]}, {"landmark_ids": ["a", "b"]},
    {"class_counts": [3]}, {"num_classes": 2}])
def test_manifests_that_contradict_themselves(records, change):
    path = records({"a": 4}).directory / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError):
        read_manifest(path.parent)


def test_a_manifest_without_an_entry(records):
    path = records({"a": 4}).directory / MANIFEST
    facts = json.loads(path.read_text())
    del facts["plan"]
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError, match="plan"):
        read_manifest(path.parent)
