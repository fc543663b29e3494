import dataclasses
import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import MANIFEST, LabelMap, read_manifest


def test_round_trip(records):
    manifest = records({"a": 3, "b": 5, "10": 2}, num_shards=3)
    again = read_manifest(str(manifest.directory))
    assert again == manifest
    assert (again.num_examples, again.num_classes, again.class_counts) == (10, 3, (2, 3, 5))
    assert list(again.label_map) == ["10", "a", "b"]
    assert again.split == "train"
    assert [shard.examples for shard in again.shards] == [3, 3, 4]
    assert again.first_numbers == [0, 3, 6]


def test_what_was_to_be_kept_out_is_read_again_and_no_part_of_the_content(records):
    manifest = records({"a": 3, "b": 5})
    assert manifest.validation_landmarks is None
    assert "validation_landmarks" not in (manifest.directory / MANIFEST).read_text()
    asked = dataclasses.replace(manifest, validation_landmarks=0.15)
    asked.save()
    assert read_manifest(manifest.directory) == asked
    assert asked.fingerprint == manifest.fingerprint


def test_files_are_absolute(records, monkeypatch):
    directory = records({"a": 4}).directory
    monkeypatch.chdir(directory.parent)
    files = read_manifest(directory.name).files
    assert all(Path(file).is_absolute() and Path(file).is_file() for file in files)


def test_a_moved_folder_is_read_where_it_is(records):
    directory = records({"a": 4}).directory
    moved = directory.rename(directory.with_name("moved"))
    assert read_manifest(moved).files[0].startswith(str(moved))


def test_the_fingerprint_is_of_the_content_wherever_it_lies(records):
    manifest = records({"a": 3, "b": 5}, num_shards=2)
    moved = dataclasses.replace(manifest, directory=Path("elsewhere"), source="the same photographs", seed=9)
    assert moved.fingerprint == manifest.fingerprint
    shard = manifest.shards[0]
    others = [dataclasses.replace(manifest, shards=(dataclasses.replace(shard, **change), *manifest.shards[1:]))
              for change in ({"sha256": "0" * 64}, {"bytes": 1}, {"name": "x"}, {"examples": 0})]
    others += [dataclasses.replace(manifest, class_counts=(*manifest.class_counts[::-1], 1)),
               dataclasses.replace(manifest, label_map=LabelMap([*manifest.label_map, "another"])),
               dataclasses.replace(manifest, shards=manifest.shards[1:])]
    assert len({each.fingerprint for each in [manifest, *others]}) == 1 + len(others)


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


@pytest.mark.parametrize("change", [
    {"version": "1"}, {"seed": "0"}, {"seed": 0.5}, {"split": None}, {"num_examples": None}, {"num_classes": [1]},
    {"skipped": "0"}, {"max_side": "64"}, {"upright": 1}, {"plan": 3}, {"source": []}, {"landmark_ids": [7]},
    {"validation_landmarks": "0.15"},
    {"landmark_ids": "a"}, {"class_counts": ["4"]}, {"class_counts": [5, -1], "num_classes": 2, "landmark_ids": ["a", "b"]},
    {"shards": [{"name": "x"}]}, {"shards": [{"name": "../x", "examples": 4, "bytes": 1, "sha256": ""}]}, {"shards": [[]]}])
def test_manifests_of_wrong_types(records, change):
    path = records({"a": 4}).directory / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=MANIFEST):
        read_manifest(path.parent)


@pytest.mark.parametrize("key", ["version", "num_examples", "num_classes", "shards", "landmark_ids", "split", "skipped"])
def test_a_manifest_without_a_field_names_it(records, key):
    path = records({"a": 4}).directory / MANIFEST
    facts = json.loads(path.read_text())
    del facts[key]
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError, match=f"for {key} in a manifest of records .*; received nothing"):
        read_manifest(path.parent)


def test_a_record_file_outside_the_folder(records):
    path = records({"a": 4}).directory / MANIFEST
    path.write_text(path.read_text().replace('"train-0', '"../train-0'))
    with pytest.raises(UserError, match="lie below its folder"):
        read_manifest(path.parent, check=False)


def test_a_manifest_without_an_entry(records):
    path = records({"a": 4}).directory / MANIFEST
    facts = json.loads(path.read_text())
    del facts["plan"]
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError, match="plan"):
        read_manifest(path.parent)


IDS = st.lists(st.one_of(st.integers(0, 10**6).map(str), st.text(string.ascii_letters + "/_", min_size=1)), min_size=1)


@given(IDS)
def test_labels_and_landmarks_are_one_to_one(ids):
    label_map = LabelMap(ids)
    assert [label_map.label(landmark) for landmark in label_map] == list(range(len(set(ids))))
    assert all(label_map.landmark_id(label_map.label(landmark)) == landmark for landmark in ids)


@given(IDS, st.randoms())
def test_order_of_the_ids_does_not_matter(ids, random):
    shuffled = random.sample(ids, len(ids))
    assert LabelMap(ids) == LabelMap(shuffled)
    assert LabelMap(ids).fingerprint == LabelMap(shuffled).fingerprint


@given(IDS)
def test_file_round_trip(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("map") / "label_map.json"
    LabelMap(ids).save(path)
    assert LabelMap.load(path) == LabelMap(ids)


def test_whole_numbers_sort_by_value_and_first():
    assert list(LabelMap(["10", "9", "b", "a", "100"])) == ["9", "10", "100", "a", "b"]


def test_other_ids_other_fingerprint():
    assert LabelMap(["a", "b"]).fingerprint != LabelMap(["a", "c"]).fingerprint
    assert LabelMap(["a b"]).fingerprint != LabelMap(["a", "b"]).fingerprint


def test_unknown_names_and_numbers_are_user_errors():
    label_map = LabelMap(["a", "b"])
    with pytest.raises(UserError, match="2 landmarks of the label map; received 'c'"):
        label_map.label("c")
    for label in (-1, 2):
        with pytest.raises(UserError, match=f"from 0 to 1; received {label}"):
            label_map.landmark_id(label)
    with pytest.raises(UserError, match="at least one landmark"):
        LabelMap([])


@pytest.mark.parametrize("change", [
    lambda facts: facts.update(landmark_ids=facts["landmark_ids"][::-1]),
    lambda facts: facts.update(landmark_ids=["a", "c"]),
    lambda facts: facts.pop("fingerprint"),
    lambda facts: facts.update(landmark_ids=None),
])
def test_a_changed_file_is_refused(tmp_path, change):
    path = tmp_path / "label_map.json"
    LabelMap(["a", "b"]).save(path)
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError):
        LabelMap.load(path)
