"""What is measured after an epoch."""

import numpy as np
import pytest

from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.place import Place
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.validation import validation_batches

CONFIG = TrainingConfig(epochs=2, batch_size=8, image_sizes="32,64")


def test_all_photographs_at_the_last_size(records):
    batches = list(validation_batches(records, CONFIG, SamplingConfig(), "classification"))
    expected = evaluation_dataset(read_manifest(records / "validation"), image_size=64, batch_size=8)
    for (images, labels), (same_images, same_labels) in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)


def test_the_view_follows_the_augmentation(records):
    datasets = [validation_batches(records, CONFIG, SamplingConfig(augmentation=name), "classification")
                for name in ("default", "recognition")]
    stretched, cropped = (next(iter(dataset)) for dataset in datasets)
    np.testing.assert_array_equal(stretched[1], cropped[1])
    assert not np.array_equal(stretched[0], cropped[0])


def test_pairs_are_the_same_each_time(records):
    dataset = validation_batches(records, CONFIG, SamplingConfig("classes_by_images"), "contrastive")
    for (images, labels), (same_images, _) in zip(dataset, dataset, strict=True):
        assert sorted(np.unique(labels, return_counts=True)[1]) == [4, 4]
        np.testing.assert_array_equal(images, same_images)


def test_nothing_to_measure(records, tmp_path):
    assert validation_batches(tmp_path, CONFIG, SamplingConfig(), "classification") is None
    assert validation_batches(records, CONFIG, SamplingConfig("mined_tuples"), "tuple_triplet") is None


def test_no_longer_than_an_epoch(records):
    assert len(list(validation_batches(records, CONFIG, SamplingConfig(steps_per_epoch=2), "classification"))) == 2


@pytest.mark.parametrize(("sampling", "objective"), [
    (SamplingConfig(), "classification"), (SamplingConfig("classes_by_images", images_per_class=2), "contrastive")])
@pytest.mark.parametrize("most", [0, 3])
def test_several_workers_divide_the_batches(records, monkeypatch, sampling, objective, most):
    sampling = SamplingConfig(**{**vars(sampling), "steps_per_epoch": most})
    config = TrainingConfig(epochs=1, batch_size=4, image_size=32)
    whole = list(validation_batches(records, config, sampling, objective))
    for worker in range(2):
        monkeypatch.setattr(Place, "here", lambda worker=worker: Place(2, worker, 2))
        part = list(validation_batches(records, config, sampling, objective))
        assert len(part) == len(whole[worker::2])
        for (images, labels), (same_images, same_labels) in zip(part, whole[worker::2], strict=True):
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(labels, same_labels)
