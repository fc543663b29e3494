import shutil

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.training import unseen_landmarks as module
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.unseen_landmarks import affordable_images, epochs_between, find_unseen

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.mark.parametrize(("settings", "steps", "expected"), [
    ({"epochs": 4, "batch_size": 32}, 250, 0.05 * 2 * 4 * 250 * 32 / 5),
    ({"epochs": 4, "batch_size": 32, "backbone_multiplier": 0.0}, 1000, 0.05 * 4 * 1000 * 32 / 5),
    ({"epochs": 4, "batch_size": 32, "freeze": "all"}, 1000, 0.05 * 4 * 1000 * 32 / 5),
    ({"epochs": 2, "batch_size": 32, "image_sizes": "112,224"}, 1000, 0.05 * 2 * 1.25 * 1000 * 32 / 3),
    ({"epochs": 4, "batch_size": 32, "weight_interpolation": "auto"}, 400, 0.05 * 2 * 4 * 400 * 32 / 8),
    ({"epochs": 4, "batch_size": 32, "weight_interpolation": ".5"}, 250, 0.05 * 2 * 4 * 250 * 32 / 5),
    ({"epochs": 1, "batch_size": 8}, 2, 100)])
def test_measuring_costs_a_twentieth_of_training(settings, steps, expected):
    assert affordable_images(TrainingConfig(**settings), steps) == int(expected)


@pytest.mark.parametrize(("settings", "steps", "between"), [
    ({"epochs": 4, "batch_size": 8}, 1, 1),  # four measurements are made whatever they cost
    ({"epochs": 12, "batch_size": 8}, 1, 3), ({"epochs": 13, "batch_size": 8}, 1, 4),
    ({"epochs": 60, "batch_size": 20, "weight_interpolation": "auto"}, 1, 15),
    ({"epochs": 10, "batch_size": 32}, 20, 2),  # 6,400 images pay for six measurements of 100, the start among them
    ({"epochs": 10, "batch_size": 32}, 40, 1)])
def test_short_epochs_are_not_all_measured(settings, steps, between):
    assert epochs_between(TrainingConfig(**settings), steps) == between


@pytest.mark.parametrize(("info", "factor"), [
    (WorkerInfo(2, 0, 2), 1), (WorkerInfo(1, 0, 4), 1 / 4), (WorkerInfo(2, 1, 8), 1 / 4)])
def test_one_device_of_each_process_measures(monkeypatch, info, factor):
    config = TrainingConfig(epochs=3, batch_size=64)
    alone = affordable_images(config, 10_000)
    monkeypatch.setattr(WorkerInfo, "current", lambda: info)
    assert affordable_images(config, 10_000) == pytest.approx(alone * factor, abs=1)


def found(records, **settings):
    config = TrainingConfig(**{"epochs": 2, "batch_size": 8, "image_size": 32, **settings})
    return find_unseen(records, read_manifest(records / "train"), config, steps_per_epoch=6)


def test_unseen_landmarks_of_records(unseen_records):
    unseen = found(unseen_records)
    assert (len(unseen.numbers), unseen.image_size, unseen.batch_size) == (48, 32, 8)
    assert unseen.facts["of_photographs"] == 48
    assert len(found(unseen_records).with_images(20, 0).numbers) == 20

    def brightness(images):
        return tf.reduce_mean(images, axis=(1, 2)) / 255
    figures = unseen.measure(brightness, 3)
    assert figures["retrieval_map"].shape == (48,)
    assert np.nanmean(figures["retrieval_map"]) > 0.3


def test_no_unseen_landmarks(records, unseen_records, tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    assert found(unseen_records, epochs=0) is None
    assert not caplog.text
    assert found(records) is None, "its validation has the landmarks of train"
    assert "Nothing is measured on landmarks that training does not see" in caplog.text
    with pytest.raises(UserError, match=r"for --patience; received none\. Prepare the records with --validation_landmarks"):
        found(records, patience=2)
    shutil.copytree(unseen_records / "train", tmp_path / "train")
    shutil.copytree(unseen_records / "train", tmp_path / "validation_landmarks")
    with pytest.raises(UserError, match=r"landmarks in .* that train/ has not; received 4 that it has, first landmark0"):
        found(tmp_path)


def test_a_validation_of_other_landmarks_serves(unseen_records, tmp_path):
    """As that of retrieval-SfM-120k."""
    shutil.copytree(unseen_records / "train", tmp_path / "train")
    shutil.copytree(unseen_records / "validation_landmarks", tmp_path / "validation")
    assert found(tmp_path).manifest.directory == tmp_path / "validation"


def test_every_worker_must_see_them(unseen_records, monkeypatch):
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(2, 0, 2))
    monkeypatch.setattr(module, "all_reduce_sum", lambda count: (count,))  # the other worker has none
    with pytest.raises(UserError, match="on every worker; received 48 of unseen landmarks here,"):
        found(unseen_records)
