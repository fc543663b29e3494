import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import train_dataset
from landmark_zoo.data.shards import write_records
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig

CONFIG = LandmarkConfig(name="all", validation_fraction=0.0)


@pytest.fixture
def photos(photo_folder):
    return photo_folder({"wonders/taj": 6, "Pétra": 5})


def content(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def test_its_splits_are_the_folders_that_write_records_makes(build, photos, tmp_path):
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


def test_tfds_reads_it_without_this_project(build, photos):
    directory = build("landmark_folder", photos, CONFIG).data_dir
    code = ("import sys, tensorflow_datasets as tfds\n"
            f"builder = tfds.builder_from_directory({str(directory)!r})\n"
            "print(builder.info.features['image/class/label'].names, len(list(builder.as_dataset(split='train[:50%]'))))\n"
            "assert 'landmark_zoo' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() in ("['Pétra', 'wonders/taj'] 5", "['Pétra', 'wonders/taj'] 6"), done.stderr


def test_bad_pictures_are_listed(build, photos):
    (photos / "Pétra/empty.jpg").write_bytes(b"")
    manifest = read_manifest(Path(build("landmark_folder", photos, CONFIG).data_dir, "train"))
    assert (manifest.num_examples, manifest.skipped) == (11, 1)
    assert "empty file" in (manifest.directory / "skipped.csv").read_text()


def test_an_interrupted_build_goes_on_where_it_was(build, photos, tmp_path, monkeypatch):
    from landmark_zoo.data.tfds_builders import shards_by_beam as module

    with monkeypatch.context() as patch:
        write = module.write_shard

        def fail(directory, name, results):
            if "00001" in name:
                raise OSError("disk gone")
            return write(directory, name, results)

        patch.setattr(module, "write_shard", fail)
        with pytest.raises(Exception, match="disk gone"):
            build("landmark_folder", photos, CONFIG)
    half = tmp_path / "tfds/.building-landmark_folder-all-1.0.0/train/train-00000-of-00002.tfrecord"
    kept = half.stat()
    directory = Path(build("landmark_folder", photos, CONFIG).data_dir)
    assert (directory / "train" / half.name).stat().st_ino == kept.st_ino
    assert sorted(path.name for path in (tmp_path / "tfds").iterdir()) == ["downloads", "landmark_folder"]


def test_a_finished_one_is_left_as_it_is(build, photos):
    first = build("landmark_folder", photos, CONFIG)
    before = Path(first.data_dir, "train/manifest.json").stat().st_mtime_ns
    build("landmark_folder", photos, CONFIG)
    assert Path(first.data_dir, "train/manifest.json").stat().st_mtime_ns == before


def test_no_photographs(build, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("no pictures")
    with pytest.raises(UserError, match="received none"):
        build("landmark_folder", tmp_path / "empty", CONFIG)


def test_the_records_parse_as_they_are(build, photos):
    builder = build("landmark_folder", photos, CONFIG)
    files = tf.io.gfile.glob(f"{builder.data_dir}/train/*.tfrecord")
    keys = {key for record in tf.data.TFRecordDataset(files).as_numpy_iterator()
            for key in tf.train.Example.FromString(record).features.feature}
    assert keys == set(builder.info.features)
