import dataclasses
import shutil
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.examples import Example, serialize_example
from landmark_zoo.data.manifest import LabelMap, Manifest, Shard, read_manifest
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.verify import (
    Finding,
    RecordFacts,
    ShardScan,
    check_checksum,
    check_class_counts,
    check_count,
    check_files,
    check_ids,
    check_images,
    check_label_map,
    check_labels,
    check_readable,
    check_sizes,
    imbalance_probability,
    iter_findings,
    scan_shard,
    split_directories,
    verify_records,
)
from landmark_zoo.data.writer import write_records
from tests.data.conftest import endless_record

SHARD = Shard("train-00000-of-00001.tfrecord", 2, 100, "ab" * 32)


@pytest.fixture
def manifest(tmp_path):
    return Manifest(tmp_path, "train", LabelMap("xy"), (1, 1), (SHARD,), 0, 0, 64, "", "")


@pytest.fixture
def shard():
    return SHARD


@pytest.fixture
def scan():
    """scan({...}, ..., sha256=..., error=...) -> what was read; a dict holds what is not as it should be in a record."""
    def make(*records, sha256=SHARD.sha256, error=None):
        sound = {"label": 0, "landmark_id": "x", "size": (40, 60), "decoded": (40, 60)}
        return ShardScan(SHARD.name, sha256, tuple(
            record if isinstance(record, str) else RecordFacts(**({"id": f"r{number}"} | sound | record))
            for number, record in enumerate(records)), error)
    return make

NAMES = [f"train-0000{number}-of-00003.tfrecord" for number in range(3)]


def found(manifest):
    return [(finding.file, finding.text) for finding in verify_records(manifest.directory)]


def only(manifest, file, *words):
    """Asserts that all findings name the file and that one of them says the words; returns their number."""
    findings = found(manifest)
    assert {name for name, _ in findings} == {file}, findings
    for word in words:
        assert any(word in text for _, text in findings), findings
    return len(findings)


def test_sound_records_have_no_findings(sound):
    assert found(sound) == []


def test_findings_are_yielded_as_they_are_found(sound):
    (sound.directory / NAMES[0]).unlink()
    assert next(iter_findings(sound.directory)) == Finding("train", NAMES[0], "missing")


def test_missing_file(sound):
    (sound.directory / NAMES[1]).unlink()
    assert only(sound, NAMES[1], "missing") == 1


def test_extra_file(sound):
    (sound.directory / "train-00003-of-00003.tfrecord").write_bytes(b"")
    assert only(sound, "train-00003-of-00003.tfrecord", "not in the manifest") == 1


def test_truncated_file(sound):
    path = sound.directory / NAMES[0]
    path.write_bytes(path.read_bytes()[:-100])
    findings = [text for name, text in found(sound) if name == NAMES[0]]
    for word in ("bytes instead of", "SHA-256", "cannot be read past record 7", "7 records instead of 8"):
        assert any(word in text for text in findings), findings


def test_a_length_beyond_the_file(sound):
    endless_record(sound.directory / NAMES[0], before=3)
    findings = [text for name, text in found(sound) if name == NAMES[0]]
    assert any("cannot be read past record 3: truncated record at" in text for text in findings), findings


def test_flipped_bit(sound):
    path = sound.directory / NAMES[2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    findings = [text for name, text in found(sound) if name == NAMES[2]]
    for word in ("SHA-256", "cannot be read past record"):
        assert any(word in text for text in findings), findings


def test_label_out_of_range(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(3, examples[3]._replace(label=3)))
    findings = found(sound)
    assert any(name == NAMES[0] and text.startswith("record 3 ") and "label 3, not from 0 to 2" in text
               for name, text in findings)


def test_label_of_another_landmark(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(0, examples[0]._replace(landmark_id=b"another")))
    assert only(sound, NAMES[0], "the record says 'another'") == 1


def test_undecodable_image(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(encoded=examples[2].encoded[:50])))
    assert only(sound, NAMES[1], "cannot be decoded") == 1


def test_wrong_size(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(height=64, width=48)))
    assert only(sound, NAMES[1], "64 x 48 px stated, 48 x 64 in the image") == 1


def test_duplicate_id(sound, rewrite):
    rewrite(1, lambda examples: examples.__setitem__(2, examples[2]._replace(id=examples[5].id)))
    assert only(sound, NAMES[1], f"is also in train/{NAMES[1]}") == 1


def test_lost_record(sound, rewrite):
    rewrite(1, lambda examples: examples.pop())
    findings = found(sound)
    assert (NAMES[1], "7 records instead of 8") in findings
    assert any(name == "manifest.json" and "other counts" in text for name, text in findings)


def test_label_map_with_a_duplicate(sound, change_manifest):
    change_manifest(lambda facts: facts.update(landmark_ids=["10", "petra", "petra"]))
    assert any(name == "manifest.json" and "'petra' twice" in text for name, text in found(sound))


def test_label_map_in_another_order(sound, change_manifest):
    change_manifest(lambda facts: facts.update(landmark_ids=["petra", "10", "wonders/taj"]))
    assert any(text == "the label map is not in sorted order" for _, text in found(sound))


def test_class_counts_that_contradict_the_files(sound, change_manifest):
    change_manifest(lambda facts: facts.update(class_counts=[6, 9, 9]))
    assert only(sound, "manifest.json", "2 labels with other counts than in the files, first 1: 9, not 8") == 1


def test_wrong_checksum(sound, change_manifest):
    change_manifest(lambda facts: facts["shards"][0].update(sha256="0" * 64))
    assert only(sound, NAMES[0], "SHA-256") == 1


def test_record_of_another_format(sound, rewrite):
    rewrite(0, lambda examples: examples.__setitem__(0, b"\x0a\x00"))
    assert any(name == NAMES[0] and "record 0 is of another format" in text for name, text in found(sound))


def test_no_manifest(sound):
    (sound.directory / "manifest.json").unlink()
    assert only(sound, "manifest.json", "finished records") == 1


def test_broken_manifest(sound):
    (sound.directory / "manifest.json").write_text("{}")
    assert only(sound, "manifest.json", "a manifest of records") == 1


def test_unshuffled_records(photo_folder, tmp_path, monkeypatch):
    image_list = read_folder([photo_folder(dict.fromkeys("abcd", 12))])
    options = {"split": "train", "num_shards": 4, "seed": 0, "max_side": 64}
    assert found(write_records(image_list, tmp_path / "mixed", **options)) == []
    monkeypatch.setattr(ShardPlan, "entries", property(lambda plan: sorted(plan.image_list, key=lambda entry: entry.id)))
    findings = found(write_records(image_list, tmp_path / "sorted", **options))
    assert len(findings) == 4
    assert all("landmarks are not mixed: 12 of its 12 records show" in text for _, text in findings)


def test_splits_share_label_map_and_no_id(sound, photo_folder, tmp_path):
    other = write_records(read_folder([photo_folder({"wonders/taj": 10, "petra": 8}, name="others")]),
                          tmp_path / "validation", split="validation", num_shards=2, seed=0, max_side=64)
    other = [str(finding) for finding in verify_records(tmp_path) if finding.split == other.directory.name]
    assert other[0] == "validation/manifest.json: another label map than that of train"
    assert sum("is also in train/" in text for text in other) == 18


def test_landmarks_kept_out_have_a_label_map_of_their_own(sound, photo_folder, tmp_path):
    for name, landmarks in (("new", ["world/petra", "world/alhambra"]), ("old", ["world/petra", "wonders/taj"])):
        folder = photo_folder(dict.fromkeys(landmarks, 9), name=name)
        write_records(read_folder([folder]), tmp_path / "validation_landmarks", split="validation_landmarks", num_shards=1,
                      seed=0, max_side=64)
        found = [text for split, _, text in map(dataclasses.astuple, verify_records(tmp_path)) if split != "train"]
        shared = [text for text in found if "landmarks that train has too" in text]
        assert shared == ([] if name == "new" else ["landmarks that train has too, first wonders/taj"])
        assert not any("another label map" in text for text in found)
        shutil.rmtree(tmp_path / "validation_landmarks")


def test_split_directories(sound, tmp_path):
    assert split_directories(sound.directory) == [sound.directory]
    assert split_directories(tmp_path) == [sound.directory]
    with pytest.raises(UserError, match="received no folder"):
        split_directories(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="received none"):
        verify_records(tmp_path / "empty")


def test_manifest_is_verified_as_it_is(sound, change_manifest):
    change_manifest(lambda facts: facts.update(num_examples=5))
    assert read_manifest(sound.directory, check=False).num_examples == 24
    assert only(sound, "manifest.json", "5 records stated, 24 in the files") == 1


def test_finding_as_a_line():
    assert str(Finding("train", "a.tfrecord", "missing")) == "train/a.tfrecord: missing"


@pytest.fixture
def path(tmp_path, make_image, encode):
    encoded = encode(make_image(40, 60))
    with tf.io.TFRecordWriter(str(tmp_path / "s.tfrecord")) as writer:
        for number in range(100):
            writer.write(serialize_example(Example(encoded, f"r{number}", 40, 60, number, "Ünï")))
        writer.write(b"foreign")
        writer.write(serialize_example(Example(encoded[:40], "cut", 40, 60, 0, "x")))
    return tmp_path / "s.tfrecord"


def test_scan_reads_everything_in_order(path):
    scan = scan_shard(path)
    assert (scan.name, scan.sha256, scan.error) == ("s.tfrecord", sha256(path), None)
    assert scan.records[:100] == tuple(RecordFacts(f"r{n}", n, "Ünï", (40, 60), (40, 60)) for n in range(100))
    assert isinstance(scan.records[100], str)
    assert isinstance(scan.records[101].decoded, str)


def test_scan_ends_at_damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) * 9 // 10] ^= 1
    path.write_bytes(data)
    scan = scan_shard(path)
    assert 80 < len(scan.records) < 100
    assert scan.error.startswith("corrupted record at ")


def test_check_checksum(manifest, shard, scan):
    assert list(check_checksum(shard, scan({}, {}))) == []
    found = list(check_checksum(shard, scan({}, {}, sha256="0" * 64)))
    assert found == ["SHA-256 000000000000... instead of abababababab..."]


def test_imbalance_of_two_classes_by_hand():
    # 10 of 10 + 10 records: 184,756 ways to draw them, 2 (45 45 + 10 10 + 1) of them at 8 + 2 or farther out: .023
    assert imbalance_probability(np.array([8, 2]), np.array([10, 10])) == pytest.approx(0.023, abs=0.02)
    assert imbalance_probability(np.array([5, 5]), np.array([10, 10])) == pytest.approx(1.0)


@pytest.mark.parametrize("totals", [[4], [0, 4], [0, 0]])
def test_imbalance_of_one_class_or_none(totals):
    assert imbalance_probability(np.array(totals) // 2, np.array(totals)) == 1.0


def test_imbalance_of_the_only_file():
    assert imbalance_probability(np.array([3, 4]), np.array([3, 4])) == 1.0


def test_shuffled_long_tail_is_not_suspected():
    """A long tail of landmarks with one image, as in Google Landmarks."""
    draw = np.random.default_rng(0)
    totals = np.sort(draw.zipf(1.8, 5000).clip(1, 500))
    labels = draw.permutation(np.repeat(np.arange(5000), totals))
    chances = [imbalance_probability(np.bincount(part, minlength=5000), totals) for part in np.array_split(labels, 40)]
    assert min(chances) > 1e-5


def test_sorted_files_are_suspected():
    labels = np.repeat(np.arange(5000), 4)
    chances = [imbalance_probability(np.bincount(part, minlength=5000), np.full(5000, 4))
               for part in np.array_split(labels, 40)]
    assert max(chances) < 1e-12


def test_check_class_counts(manifest):
    assert list(check_class_counts(manifest, Counter([0, 1]))) == []
    assert list(check_class_counts(manifest, Counter([1, 1]))) == [
        "2 labels with other counts than in the files, first 0: 1, not 0"]


def test_check_count(manifest, shard, scan):
    assert list(check_count(shard, scan({}, {}))) == []
    assert list(check_count(shard, scan({}))) == ["1 records instead of 2"]


def test_check_ids_within_a_file_and_between_splits(scan, shard):
    places = {}
    assert list(check_ids("train", scan({}, {"id": "r0"}), places)) == [f"record 1: id r0 is also in train/{shard.name}"]
    assert list(check_ids("validation", scan({}, "foreign"), places)) == [f"record 0: id r0 is also in train/{shard.name}"]
    assert list(check_ids("validation", scan({"id": "other"}), places)) == []


def test_check_files(manifest, shard):
    path = manifest.directory / shard.name
    assert list(check_files(manifest)) == [(shard.name, "missing")]
    path.write_bytes(b"1234")
    assert list(check_files(manifest)) == [(shard.name, "4 bytes instead of 100")]
    path.write_bytes(b"1" * 100)
    (manifest.directory / "other.tfrecord").touch()
    assert list(check_files(manifest)) == [("other.tfrecord", "not in the manifest")]


FACTS = {"landmark_ids": ["2", "10", "x"], "class_counts": [1, 2, 3], "num_classes": 3, "num_examples": 6,
         "shards": [{"examples": 4}, {"examples": 2}]}


def test_check_label_map_of_sound_facts():
    assert list(check_label_map(FACTS)) == []


@pytest.mark.parametrize(("change", "text"), [
    ({"landmark_ids": ["2", "2", "x"]}, "the label map has '2' twice"),
    ({"landmark_ids": ["10", "2", "x"]}, "the label map is not in sorted order"),
    ({"num_classes": 4}, "4 labels stated, 3 in the label map, 3 counted"),
    ({"class_counts": [1, 2, 4]}, "6 records stated, 6 in the files, 7 of all labels")])
def test_check_label_map_of_contradictions(change, text):
    assert list(check_label_map(FACTS | change)) == [text]


def test_check_labels(manifest, shard, scan):
    assert list(check_labels(manifest, scan({}, {"label": 1, "landmark_id": "y"}, "foreign"))) == []
    assert list(check_labels(manifest, scan({"label": -1}, {"label": 1}))) == [
        "record 0 (r0): label -1, not from 0 to 1", "record 1 (r1): label 1 is 'y', the record says 'x'"]


def test_check_images(manifest, shard, scan):
    assert list(check_images(scan({}, "foreign"))) == []
    assert list(check_images(scan({}, {"decoded": "cut off"}))) == [
        "record 1 (r1): cannot be decoded: cut off"]


def test_check_readable(manifest, shard, scan):
    assert list(check_readable(scan({}, {}))) == []
    assert list(check_readable(scan({}, "no image/id", error="truncated"))) == [
        "cannot be read past record 2: truncated", "record 1 is of another format: no image/id"]


def test_check_sizes(manifest, shard, scan):
    assert list(check_sizes(manifest, scan({}, {"decoded": "cut off"}, "foreign"))) == []
    assert list(check_sizes(manifest, scan({"size": (60, 40)}))) == [
        "record 0 (r0): 60 x 40 px stated, 40 x 60 in the image"]


def test_check_sizes_beyond_max_side(manifest, shard, scan):
    large = scan({"size": (65, 40), "decoded": (65, 40)})
    assert list(check_sizes(manifest, large)) == ["record 0 (r0): 65 x 40 px, more than 64"]
    assert list(check_sizes(dataclasses.replace(manifest, max_side=None), large)) == []
