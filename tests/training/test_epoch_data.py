import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.epoch_data import EpochData, validation_batches
from landmark_zoo.training.sampling import SamplingConfig

CONFIG = TrainingConfig(epochs=2, batch_size=8, image_size=32)
SAMPLINGS = [SamplingConfig(), SamplingConfig("balanced"), SamplingConfig("classes_by_images"),
             SamplingConfig("aspect_groups", augmentation="glam"),
             SamplingConfig("mined_tuples", query_size=12, pool_size=30, negatives=2)]


@pytest.fixture(scope="module")
def model():
    """The mean colour, as an embedding."""
    images = tf.keras.Input([None, None, 3])
    return tf.keras.Model(images, {"embedding": L2Normalize()(tf.keras.layers.GlobalAveragePooling2D()(images))})


@pytest.fixture
def epochs(records, model, tmp_path):
    manifest = read_manifest(records / "train")
    return lambda sampling, config=CONFIG: EpochData(manifest, config, sampling, model, tmp_path)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=lambda sampling: sampling.sampler)
def test_a_resumed_epoch_is_the_rest_of_a_whole_one(epochs, sampling):
    whole = epochs(sampling)
    batches = list(whole(1, 0))
    assert len(batches) == whole.steps_per_epoch
    assert {tuple(labels.shape) for _, labels in batches} == {(8,)}
    for (images, labels), (same_images, same_labels) in zip(batches[2:], epochs(sampling)(1, 2), strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)
    assert not np.array_equal(batches[0][0], next(iter(whole(0, 0)))[0])


def test_landmarks_by_images(epochs):
    for _, labels in epochs(SamplingConfig("classes_by_images"))(0, 0):
        assert sorted(np.unique(labels, return_counts=True)[1]) == [4, 4]


def test_tuples(epochs):
    for _, labels in epochs(SAMPLINGS[-1])(0, 0):
        for query, positive, *negatives in labels.numpy().reshape(2, 4):
            assert query == positive
            assert len({query, *negatives}) == 3


def test_aspect_groups_have_their_shape(epochs):
    """The photographs are 48 x 40: height / width .83, the square group; 64 px stand for its 448."""
    config = TrainingConfig(batch_size=8, image_size=64)
    assert {images.shape for images, _ in epochs(SamplingConfig("aspect_groups"), config)(0, 0)} == {(8, 64, 64, 3)}


@pytest.mark.parametrize("sampling", SAMPLINGS[:3], ids=lambda sampling: sampling.sampler)
def test_no_more_steps_than_said(epochs, sampling):
    short = epochs(SamplingConfig(**{**vars(sampling), "steps_per_epoch": 2}))
    assert short.steps_per_epoch == len(list(short(0, 0))) == 2
    assert len(list(short(0, 1))) == 1
    assert epochs(SamplingConfig(**{**vars(sampling), "steps_per_epoch": 100})).steps_per_epoch == epochs(
        sampling).steps_per_epoch


@pytest.mark.parametrize("sampling", SAMPLINGS[:2], ids=lambda sampling: sampling.sampler)
def test_images_grow(epochs, sampling):
    growing = epochs(sampling, TrainingConfig(epochs=2, batch_size=8, image_sizes="32,64"))
    assert [next(iter(growing(epoch, 0)))[0].shape[1] for epoch in (0, 1)] == [32, 64]


def test_fewer_tuples_than_a_batch(epochs):
    with pytest.raises(UserError, match="at least 2 tuples, one batch; received 1"):
        epochs(SamplingConfig("mined_tuples", query_size=1, negatives=2))


@pytest.mark.parametrize("sampling", SAMPLINGS[:4], ids=lambda sampling: sampling.sampler)
def test_workers_and_devices_together_have_the_batches_of_one(epochs, sampling, monkeypatch):
    whole, parts = list(epochs(sampling)(1, 1)), []
    for worker in range(2):
        monkeypatch.setattr(WorkerInfo, "current", lambda worker=worker: WorkerInfo(2, worker, 4))
        parts.append(list(epochs(sampling)(1, 1)))
    for step, (images, labels) in enumerate(whole):
        mine = [part[2 * step + device] for part in parts for device in range(2)]
        np.testing.assert_array_equal(np.concatenate([portion[0] for portion in mine]), images)
        np.testing.assert_array_equal(np.concatenate([portion[1] for portion in mine]), labels)


def test_the_chief_mines_for_all(epochs, monkeypatch):
    chief = list(epochs(SAMPLINGS[-1])(0, 0))
    monkeypatch.setattr("landmark_zoo.training.epoch_data.all_reduce_sum", lambda *_: None)
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(2, 1, 2))
    other = epochs(SAMPLINGS[-1])
    other._embed = None
    for (images, labels), (whole_images, whole_labels) in zip(other(0, 0), chief, strict=True):
        np.testing.assert_array_equal(images, whole_images[4:])
        np.testing.assert_array_equal(labels, whole_labels[4:])


SHORT = TrainingConfig(epochs=2, batch_size=8, image_sizes="32,64")


def test_all_images_at_the_last_size(records):
    batches = list(validation_batches(records, SHORT, SamplingConfig(), "classification"))
    expected = evaluation_dataset(read_manifest(records / "validation"), image_size=64, batch_size=8)
    for (images, labels), (same_images, same_labels) in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)


def test_the_view_follows_the_augmentation(records):
    datasets = [validation_batches(records, SHORT, SamplingConfig(augmentation=name), "classification")
                for name in ("default", "recognition")]
    stretched, cropped = (next(iter(dataset)) for dataset in datasets)
    np.testing.assert_array_equal(stretched[1], cropped[1])
    assert not np.array_equal(stretched[0], cropped[0])


def test_pairs_are_the_same_each_time(records):
    dataset = validation_batches(records, SHORT, SamplingConfig("classes_by_images"), "contrastive")
    for (images, labels), (same_images, _) in zip(dataset, dataset, strict=True):
        assert sorted(np.unique(labels, return_counts=True)[1]) == [4, 4]
        np.testing.assert_array_equal(images, same_images)


def test_nothing_to_measure(records, tmp_path):
    assert validation_batches(tmp_path, SHORT, SamplingConfig(), "classification") is None
    assert validation_batches(records, SHORT, SamplingConfig("mined_tuples"), "tuple_triplet") is None


def test_no_longer_than_an_epoch(records):
    assert len(list(validation_batches(records, SHORT, SamplingConfig(steps_per_epoch=2), "classification"))) == 2


@pytest.mark.parametrize(("sampling", "objective"), [
    (SamplingConfig(), "classification"), (SamplingConfig("classes_by_images", images_per_class=2), "contrastive")])
@pytest.mark.parametrize("most", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_several_workers_divide_the_batches(records, monkeypatch, sampling, objective, most):
    sampling = SamplingConfig(**{**vars(sampling), "steps_per_epoch": most})
    config = TrainingConfig(epochs=1, batch_size=4, image_size=32)
    whole = list(validation_batches(records, config, sampling, objective))
    for worker in range(2):
        monkeypatch.setattr(WorkerInfo, "current", lambda worker=worker: WorkerInfo(2, worker, 2))
        part = list(validation_batches(records, config, sampling, objective))
        assert len(part) == len(whole[worker::2])
        for (images, labels), (same_images, same_labels) in zip(part, whole[worker::2], strict=True):
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(labels, same_labels)
