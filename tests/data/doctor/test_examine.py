import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.doctor.examine import examine, splits
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.shards import write_records

NAMES = [f"train-0000{number}-of-00003.tfrecord" for number in range(3)]


def found(manifest):
    return [(finding.file, finding.text) for finding in examine(manifest.directory)]


def only(manifest, file, *words):
    """The folder has this one fault: all findings name the file, one of them says the words."""
    findings = found(manifest)
    assert {name for name, _ in findings} == {file}, findings
    for word in words:
        assert any(word in text for _, text in findings), findings
    return len(findings)


def test_sound_records(sound):
    assert found(sound) == []


def test_1_a_missing_file(sound):
    (sound.directory / NAMES[1]).unlink()
    assert only(sound, NAMES[1], "missing") == 1


def test_2_a_file_too_many(sound):
    (sound.directory / "train-00003-of-00003.tfrecord").write_bytes(b"")
    assert only(sound, "train-00003-of-00003.tfrecord", "not in the manifest") == 1


def test_3_a_file_that_is_cut_off(sound):
    path = sound.directory / NAMES[0]
    path.write_bytes(path.read_bytes()[:-100])
    findings = [text for name, text in found(sound) if name == NAMES[0]]
    for word in ("bytes instead of", "SHA-256", "cannot be read past record 7", "7 records instead of 8"):
        assert any(word in text for text in findings), findings


def test_4_a_bit_that_flipped(sound):
    path = sound.directory / NAMES[2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    findings = [text for name, text in found(sound) if name == NAMES[2]]
    for word in ("SHA-256", "cannot be read past record"):
        assert any(word in text for text in findings), findings


def test_5_a_label_out_of_range(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(3, examples[3]._replace(label=3)))
    findings = found(sound)
    assert any(name == NAMES[0] and text.startswith("record 3 ") and "label 3, not from 0 to 2" in text
               for name, text in findings)


def test_6_a_label_of_another_landmark(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(0, examples[0]._replace(landmark_id=b"another")))
    assert only(sound, NAMES[0], "the record says 'another'") == 1


def test_7_a_picture_that_cannot_be_decoded(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(encoded=examples[2].encoded[:50])))
    assert only(sound, NAMES[1], "cannot be decoded") == 1


def test_8_sizes_that_are_wrong(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(height=64, width=48)))
    assert only(sound, NAMES[1], "64 x 48 px stated, 48 x 64 in the picture") == 1


def test_9_an_id_twice(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(id=examples[5].id)))
    assert only(sound, NAMES[1], f"is also in train/{NAMES[1]}") == 1


def test_10_a_record_that_is_gone(sound, rewrite):
    rewrite(1, lambda examples: examples.pop())
    findings = found(sound)
    assert (NAMES[1], "7 records instead of 8") in findings
    assert any(name == "manifest.json" and "other counts" in text for name, text in findings)


def test_11_a_label_map_that_is_not_one_to_one(sound, change_manifest):
    change_manifest(lambda facts: facts.update(landmark_ids=["10", "petra", "petra"]))
    assert any(name == "manifest.json" and "'petra' twice" in text for name, text in found(sound))


def test_12_a_label_map_in_another_order(sound, change_manifest):
    change_manifest(lambda facts: facts.update(landmark_ids=["petra", "10", "wonders/taj"]))
    assert any(text == "the label map is not in sorted order" for _, text in found(sound))


def test_13_counts_that_contradict_the_files(sound, change_manifest):
    change_manifest(lambda facts: facts.update(class_counts=[6, 9, 9]))
    assert only(sound, "manifest.json", "2 labels with other counts than in the files, first 1: 9, not 8") == 1


def test_14_another_checksum(sound, change_manifest):
    change_manifest(lambda facts: facts["shards"][0].update(sha256="0" * 64))
    assert only(sound, NAMES[0], "SHA-256") == 1


def test_15_a_foreign_record(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(0, b"\x0a\x00"))
    assert any(name == NAMES[0] and "record 0 is of another format" in text for name, text in found(sound))


def test_16_no_manifest(sound):
    (sound.directory / "manifest.json").unlink()
    assert only(sound, "manifest.json", "finished records") == 1


def test_17_a_manifest_that_is_no_manifest(sound):
    (sound.directory / "manifest.json").write_text("{}")
    assert only(sound, "manifest.json", "a manifest of records") == 1


def test_18_records_in_the_order_of_their_landmarks(photo_folder, tmp_path, monkeypatch):
    catalogue = read_folder([photo_folder(dict.fromkeys("abcd", 12))])
    options = {"split": "train", "num_shards": 4, "seed": 0, "max_side": 64}
    assert found(write_records(catalogue, tmp_path / "mixed", **options)) == []
    monkeypatch.setattr(ShardPlan, "entries", property(lambda plan: sorted(plan.catalogue, key=lambda entry: entry.id)))
    findings = found(write_records(catalogue, tmp_path / "sorted", **options))
    assert len(findings) == 4
    assert all("landmarks are not mixed: 12 of its 12 records show" in text for _, text in findings)


def test_splits_share_label_map_and_no_id(sound, photo_folder, tmp_path):
    other = write_records(read_folder([photo_folder({"wonders/taj": 10, "petra": 8}, name="others")]),
                          tmp_path / "validation", split="validation", num_shards=2, seed=0, max_side=64)
    other = [str(finding) for finding in examine(tmp_path) if finding.split == other.directory.name]
    assert other[0] == "validation/manifest.json: another label map than that of train"
    assert sum("is also in train/" in text for text in other) == 18


def test_where_records_are(sound, tmp_path):
    assert splits(sound.directory) == [sound.directory]
    assert splits(tmp_path) == [sound.directory]
    with pytest.raises(UserError, match="received no folder"):
        splits(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="received none"):
        list(examine(tmp_path / "empty"))


def test_the_manifest_is_read_as_it_is(sound, change_manifest):
    change_manifest(lambda facts: facts.update(num_examples=5))
    assert read_manifest(sound.directory, check=False).num_examples == 24
    assert only(sound, "manifest.json", "5 records stated, 24 in the files") == 1
