import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from apache_beam.options.pipeline_options import PipelineOptions
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.selection import keep_out_landmarks
from landmark_zoo.data.examples import Example, parse_example, serialize_example
from landmark_zoo.data.input_pipeline import train_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.tfds import base as module
from landmark_zoo.data.tfds.base import (
    LABEL,
    LandmarkConfig,
    label_names,
    record_features,
    shards_by_beam,
    train_and_validation,
)
from landmark_zoo.data.writer import write_records

CONFIG = LandmarkConfig(name="all", validation_fraction=0.0, validation_landmarks=None)


@pytest.fixture
def photos(photo_folder):
    return photo_folder({"wonders/taj": 6, "Pétra": 5})


def content(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def test_splits_equal_write_records(build, photos, tmp_path):
    builder = build("landmark_folder", photos, CONFIG)
    write_records(read_folder([photos]), tmp_path / "records", split="train", num_shards=2, seed=0, max_side=512)
    assert content(Path(builder.data_dir, "train")) == content(tmp_path / "records")


def test_training_reads_it(build, photos):
    manifest = read_manifest(Path(build("landmark_folder", photos, CONFIG).data_dir, "train"))
    assert list(manifest.label_map) == ["Pétra", "wonders/taj"]
    images, labels = next(iter(train_dataset(manifest, image_size=32, batch_size=8, seed=0, epoch=0)))
    assert images.shape == (8, 32, 32, 3)
    assert set(labels.numpy()) == {0, 1}


def test_tfds_reads_it(build, photos, tmp_path):
    build("landmark_folder", photos, CONFIG)
    examples = list(tfds.builder("landmark_folder", config=CONFIG, data_dir=tmp_path / "tfds").as_dataset(split="train"))
    assert len(examples) == 11
    one = next(example for example in examples if example["image/id"].numpy().decode() == "Pétra_0")
    assert one["image/encoded"].shape == (one["image/height"], one["image/width"], 3) == (48, 64, 3)
    assert (int(one["image/class/label"]), one["image/class/landmark_id"].numpy().decode()) == (0, "Pétra")


@pytest.mark.slow
def test_tfds_reads_it_without_this_project(build, photos):
    directory = build("landmark_folder", photos, CONFIG).data_dir
    code = ("import sys, tensorflow_datasets as tfds\n"
            f"builder = tfds.builder_from_directory({str(directory)!r})\n"
            "print(builder.info.features['image/class/label'].names, len(list(builder.as_dataset(split='train[:50%]'))))\n"
            "assert 'landmark_zoo' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() in ("['Pétra', 'wonders/taj'] 5", "['Pétra', 'wonders/taj'] 6"), done.stderr


def test_bad_images_are_listed(build, photos):
    (photos / "Pétra/empty.jpg").write_bytes(b"")
    manifest = read_manifest(Path(build("landmark_folder", photos, CONFIG).data_dir, "train"))
    assert (manifest.num_examples, manifest.skipped) == (11, 1)
    assert "empty file" in (manifest.directory / "skipped.csv").read_text()


def test_interrupted_build_resumes(build, photos, tmp_path, monkeypatch):
    from landmark_zoo.data.tfds import base as module

    with monkeypatch.context() as patch:
        write = module.write_shard

        def fail(directory, name, results):
            if "00001" in name:
                raise OSError("disk gone")
            return write(directory, name, results)

        patch.setattr(module, "write_shard", fail)
        with pytest.raises(Exception, match="disk gone"):
            build("landmark_folder", photos, CONFIG)
    half = tmp_path / "tfds/.building-landmark_folder-all-2.0.0/train/train-00000-of-00002.tfrecord"
    kept = half.stat()
    directory = Path(build("landmark_folder", photos, CONFIG).data_dir)
    assert (directory / "train" / half.name).stat().st_ino == kept.st_ino
    assert sorted(path.name for path in (tmp_path / "tfds").iterdir()) == ["downloads", "landmark_folder"]


def test_finished_build_is_left_as_it_is(build, photos):
    first = build("landmark_folder", photos, CONFIG)
    before = Path(first.data_dir, "train/manifest.json").stat().st_mtime_ns
    build("landmark_folder", photos, CONFIG)
    assert Path(first.data_dir, "train/manifest.json").stat().st_mtime_ns == before


def test_no_images(build, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("no images")
    with pytest.raises(UserError, match="received none"):
        build("landmark_folder", tmp_path / "empty", CONFIG)


def test_the_records_parse_as_they_are(build, photos):
    builder = build("landmark_folder", photos, CONFIG)
    files = tf.io.gfile.glob(f"{builder.data_dir}/train/*.tfrecord")
    keys = {key for record in tf.data.TFRecordDataset(files).as_numpy_iterator()
            for key in tf.train.Example.FromString(record).features.feature}
    assert keys == set(builder.info.features)


def test_config_with_max_side():
    config = LandmarkConfig(name="clean", seed=3)
    assert config.with_max_side(512) is config
    other = config.with_max_side(256)
    assert (other.name, other.max_side, other.seed, config.name) == ("clean-256", 256, 3, "clean")


TEXT = st.text(st.characters(codec="utf-8"))


@settings(max_examples=30)
@given(image_id=TEXT, height=st.integers(0, 2**40), width=st.integers(0, 2**40), label=st.integers(0, 99), landmark=TEXT)
def test_tfds_reads_serialized_examples(image_id, height, width, label, landmark):
    features = record_features()
    features[LABEL].names = [str(number) for number in range(100)]
    encoded = tf.io.encode_jpeg(tf.zeros([4, 6, 3], tf.uint8)).numpy()
    record = serialize_example(Example(encoded, image_id, height, width, label, landmark))
    found = features.deserialize_example(record)
    assert found["image/encoded"].shape == (4, 6, 3)
    assert found["image/id"].numpy().decode() == image_id
    assert found["image/class/landmark_id"].numpy().decode() == landmark
    assert [int(found[key]) for key in ("image/height", "image/width", LABEL)] == [height, width, label]


@settings(max_examples=30)
@given(image_id=TEXT, label=st.integers(0, 99), landmark=TEXT)
def test_parse_example_reads_what_tfds_writes(image_id, label, landmark):
    features = record_features()
    features[LABEL].names = [str(number) for number in range(100)]
    example = {"image/encoded": b"\xff\xd8", "image/id": image_id, "image/height": 4, "image/width": 6, LABEL: label,
               "image/class/landmark_id": landmark}
    parsed = parse_example(features.serialize_example(features.encode_example(example)))
    assert (parsed.encoded, parsed.id.numpy().decode()) == (b"\xff\xd8", image_id)
    assert (int(parsed.label), parsed.landmark_id.numpy().decode()) == (label, landmark)


def test_landmarks_kept_out_are_a_folder_with_labels_of_its_own(build, photo_folder, tmp_path):
    """The records are those of `write_records`; tfds knows the other splits alone."""
    photos = photo_folder({f"place{number}": 10 for number in range(10)})
    config = LandmarkConfig(name="all", validation_fraction=0.0)
    builder = build("landmark_folder", photos, config)
    rest, unseen = keep_out_landmarks(read_folder([photos]), 0.15, 0)
    assert list(builder.info.splits) == ["train"]
    assert builder.info.features[LABEL].names == sorted(rest.landmark_counts)
    for split, images in (("train", rest), ("validation_landmarks", unseen)):
        written = write_records(images, tmp_path / split, split=split, num_shards=2, seed=0, max_side=512)
        found = read_manifest(Path(builder.data_dir, split))
        assert (found.fingerprint, found.plan) == (written.fingerprint, written.plan)
        assert found.validation_landmarks == (0.15 if split == "train" else None)


def test_another_fraction_of_landmarks_stands_in_the_name(build, photos):
    config = LandmarkConfig(name="all").with_max_side(64).with_validation_landmarks(0.25)
    assert config.with_validation_landmarks(0.25) is config
    builder = build("landmark_folder", photos, config)
    assert builder.info.full_name == "landmark_folder/all-64-landmarks0.25/2.0.0"
    assert read_manifest(Path(builder.data_dir, "train")).validation_landmarks == 0.25
    own = LandmarkConfig(name="own", validation_landmarks=None)
    assert own.with_validation_landmarks(0) is own


def test_label_names():
    assert label_names(["7", "Notre Dame", " a", "b\nc"]) == ["7", "Notre Dame", "' a'", "'b\\nc'"]


def test_train_and_validation(photo_folder):
    parts = train_and_validation(read_folder([photo_folder({"a": 10, "b": 1})]), LandmarkConfig(name="x"))
    assert {name: len(part) for name, part in parts.items()} == {"train": 10, "validation": 1}


def test_train_and_validation_of_single_images(photo_folder):
    assert set(train_and_validation(read_folder([photo_folder({"a": 1, "b": 1})]), LandmarkConfig(name="x"))) == {"train"}


@pytest.fixture
def source(photo_folder):
    source = photo_folder({"a, b": 7, "Ünï": 4})
    (source / "Ünï/bad.jpg").write_bytes(b"no image")
    return source


def write(source, directory, **options):
    return write_records(read_folder([source]), directory, split="train", num_shards=3, seed=0, max_side=50, **options)


def test_beam_writes_the_same_bytes(source, tmp_path):
    write(source, tmp_path / "threads")
    write(source, tmp_path / "beam", write_shards=shards_by_beam)
    assert content(tmp_path / "threads") == content(tmp_path / "beam")


@pytest.mark.slow
def test_beam_writes_the_same_bytes_from_two_processes(source, tmp_path):
    options = PipelineOptions(["--direct_num_workers=2", "--direct_running_mode=multi_processing"])
    write(source, tmp_path / "threads")
    write(source, tmp_path / "beam",
          write_shards=lambda directory, plan, todo: shards_by_beam(directory, plan, todo, options=options))
    assert content(tmp_path / "threads") == content(tmp_path / "beam")


def test_beam_retry_changes_nothing(source, tmp_path, monkeypatch):
    def twice(directory, plan, todo):
        shards_by_beam(directory, plan, todo)
        monkeypatch.setattr(module, "write_shard", None)
        shards_by_beam(directory, plan, todo)

    assert write(source, tmp_path / "r", write_shards=twice).num_examples == 11
