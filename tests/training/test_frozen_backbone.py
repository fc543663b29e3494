import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.inspection import on_features
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.frozen_backbone import FeatureCache, Views, build_feature_cache, shard_path, train_on_features
from landmark_zoo.training.history import read_history, read_model
from landmark_zoo.training.sampling import SamplingConfig


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """11 photographs, 3 views, 4 to a file; every map holds 100 x view + number."""
    folder = tmp_path_factory.mktemp("cache")
    for view in range(3):
        for shard, numbers in enumerate(np.split(np.arange(11), [4, 8])):
            path = shard_path(folder, view, shard)
            path.parent.mkdir(exist_ok=True)
            np.save(path, np.tile((100 * view + numbers)[:, None, None, None], [1, 2, 3, 5]).astype(np.float16))
    return FeatureCache(Path(folder), None, Views(32, 3, shard_size=4), "", np.arange(11, dtype=np.int32))


def read(dataset):
    return [(maps.numpy()[:, 0, 0, 0].astype(int), labels.numpy()) for maps, labels in dataset]


def test_an_epoch_has_every_image_at_most_once_in_one_of_its_views(cache):
    batches = read(cache.epoch(4, seed=0, epoch=0))
    assert [len(labels) for _, labels in batches] == [4, 4]
    numbers = np.concatenate([labels for _, labels in batches])
    assert len(set(numbers)) == 8
    for values, labels in batches:
        np.testing.assert_array_equal(values % 100, labels)


@pytest.mark.slow
def test_over_the_epochs_every_image_comes_in_every_view(cache):
    values = np.concatenate([values for epoch in range(60) for values, _ in read(cache.epoch(4, seed=0, epoch=epoch))])
    assert set(values) == {100 * view + number for view in range(3) for number in range(11)}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 5))
def test_a_resumed_epoch_is_the_rest_of_the_uninterrupted_one(cache, seed, epoch, skip):
    whole, rest = (read(cache.epoch(2, seed, epoch, skipped)) for skipped in (0, skip))
    for (values, labels), (left, left_labels) in zip(whole[skip:], rest, strict=True):
        np.testing.assert_array_equal(values, left)
        np.testing.assert_array_equal(labels, left_labels)


def test_evaluation_batches_are_view_0_in_order_to_the_last(cache):
    assert [values.tolist() for values, _ in read(cache.evaluation_batches(6))] == [[*range(6)], [*range(6, 11)]]
    assert cache.shape == (2, 3, 5)


def test_fewer_images_than_a_batch(cache):
    with pytest.raises(UserError, match="at least one batch of 12 images"):
        cache.epoch(12, 0, 0)


@pytest.mark.parametrize("views", [{"count": 0}, {"shard_size": 0}])
def test_views_without_sense(views):
    with pytest.raises(ValueError, match="of 1 or more"):
        Views(**views)


def test_views_of_an_unknown_augmentation():
    with pytest.raises(UserError, match="received 'wild'"):
        Views(augmentation="wild")


VIEWS = Views(image_size=32, count=2, shard_size=20)


def convolution(seed):
    inputs = tf.keras.Input([None, None, 3])
    initializer = tf.keras.initializers.GlorotUniform(seed)
    return tf.keras.Model(inputs, tf.keras.layers.Conv2D(5, 16, 16, kernel_initializer=initializer)(inputs / 255))


@pytest.fixture(scope="module")
def network():
    """Images to maps of 2 x 2 places and 5 channels."""
    return convolution(0)


@pytest.fixture
def build(records, network, tmp_path):
    """Builds the cache of the toy records in a folder of the test's own."""
    def make(views=VIEWS, network=network):
        return build_feature_cache(network, "convolution", read_manifest(records / "train"), tmp_path / "cache", views)
    return make


def test_view_0_is_the_backbone_on_the_evaluation_view(build, network):
    cache = build()
    batches = evaluation_dataset(cache.manifest, image_size=32, batch_size=48)
    (images, labels), = batches
    (maps, cached_labels), = cache.evaluation_batches(48)
    np.testing.assert_array_equal(labels, cached_labels)
    np.testing.assert_allclose(maps, network(images, training=False), rtol=2e-3, atol=2e-3)


@pytest.mark.slow
def test_the_other_views_differ_from_it_and_come_again_with_the_same_seed(build, tmp_path):
    first = [np.load(path) for path in sorted((build().directory / "view_1").iterdir())]
    assert [len(maps) for maps in first] == [20, 20, 8]
    plain = np.load(tmp_path / "cache" / "view_0" / "00000.npy")
    assert np.abs(first[0].astype(np.float32) - plain).max() > 0.1
    (tmp_path / "cache").rename(tmp_path / "earlier")
    again = build().directory / "view_1" / "00002.npy"
    np.testing.assert_allclose(np.load(again).astype(np.float32), first[2], atol=2e-2)


def test_an_interrupted_cache_goes_on_with_the_missing_files(build, tmp_path):
    whole = build()
    folder = tmp_path / "cache"
    (folder / "labels.npy").unlink()
    lost, kept = folder / "view_1" / "00001.npy", folder / "view_0" / "00000.npy"
    maps, time = np.load(lost), kept.stat().st_mtime_ns
    lost.unlink()
    np.testing.assert_array_equal(build().labels, whole.labels)
    np.testing.assert_allclose(np.load(lost).astype(np.float32), maps, atol=2e-2)
    assert kept.stat().st_mtime_ns == time


def test_another_size_backbone_or_other_weights_are_refused(build, network):
    build()
    with pytest.raises(UserError, match=r"image_size 64.*received image_size 32"):
        build(dataclasses.replace(VIEWS, image_size=64))
    with pytest.raises(UserError, match="feature maps of weights"):
        build(network=convolution(1))
    assert read_json(build().directory / "features.json")["photographs"] == 48


def test_other_records_are_refused(build):
    directory = build().directory
    facts = read_json(directory / "features.json")
    write_json(directory / "features.json", {**facts, "records": "others"})
    with pytest.raises(UserError, match="received records others"):
        build()


def test_values_beyond_float16_are_refused(build):
    inputs = tf.keras.Input([None, None, 3])
    with pytest.raises(UserError, match="range of float16"):
        build(network=tf.keras.Model(inputs, inputs * 1e6))


MODEL = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.125, margin=0.1, scale=10.0)
CONFIG = TrainingConfig(epochs=4, batch_size=8, image_size=32, learning_rate=1e-2, backbone_multiplier=0.0, log_steps=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A weight file of a narrow ResNet-18."""
    tf.keras.utils.set_random_seed(7)
    path = tmp_path_factory.mktemp("weights") / "resnet18.weights.h5"
    ResNet18(include_top=False, weights=None, input_shape=(None, None, 3), alpha=0.125).save_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def resnet_cache(records, weights, tmp_path_factory):
    """Feature maps of a narrow ResNet-18."""
    model = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125).build(4, weights)
    return build_feature_cache(on_features(model)[0], "resnet18", read_manifest(records / "train"),
                               tmp_path_factory.mktemp("resnet_cache"), Views(32, 2))


@pytest.fixture(scope="module")
def trained(resnet_cache, weights, tmp_path_factory):
    """A model trained on the feature maps, and the folder of its run."""
    workdir = tmp_path_factory.mktemp("trained")
    return train_on_features(MODEL, CONFIG, resnet_cache, workdir, weights), workdir


def test_it_learns_and_leaves_the_backbone_alone(trained, weights):
    model, workdir = trained
    losses = [line["loss"] for line in read_history(workdir / "history.jsonl")]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) - 0.2
    untouched, attention = (MODEL.build(4, weights) for _ in range(2))
    load_weights(attention, workdir, "initial")
    backbone = model.get_layer("resnet18").get_weights()
    for left, right in zip(backbone, untouched.get_layer("resnet18").get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert np.abs(model.get_layer("se").get_weights()[0] - attention.get_layer("se").get_weights()[0]).max() > 1e-4


def test_its_folder_is_read_like_that_of_any_run(trained):
    model, workdir = trained
    config, facts = read_model(workdir)
    again = config.build(facts["num_classes"])
    assert load_weights(again, workdir) == 24
    images = tf.random.stateless_uniform([2, 48, 32, 3], [0, 1], 0, 255)
    np.testing.assert_allclose(model(images)["embedding"], again(images)["embedding"], atol=1e-6)


def test_an_embedding_of_more_dimensions_than_the_images_span_gets_fewer(resnet_cache, weights, tmp_path):
    """48 images span 47; started again it is the same."""
    wide, config = dataclasses.replace(MODEL, embedding_dim=512), dataclasses.replace(CONFIG, epochs=0)
    for _ in range(2):
        model = train_on_features(wide, config, resnet_cache, tmp_path, weights)
        assert model.output_shape["embedding"] == (None, 47)
    assert read_model(tmp_path)[0].embedding_dim == 47


@pytest.mark.slow
def test_stopped_and_started_again_it_ends_where_an_uninterrupted_run_ends(trained, resnet_cache, weights, tmp_path,
                                                                           monkeypatch):
    config, epoch = dataclasses.replace(CONFIG, checkpoint_steps=3), type(resnet_cache).epoch

    def interrupted_in_the_second_epoch(cache, batch_size, seed, number, skip=0):
        if number == 0:
            return epoch(cache, batch_size, seed, number, skip)
        return interrupted_after(4, epoch(cache, batch_size, seed, number, skip))

    with monkeypatch.context() as patched:
        patched.setattr(type(resnet_cache), "epoch", interrupted_in_the_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            train_on_features(MODEL, config, resnet_cache, tmp_path, weights)
    stopped = train_on_features(MODEL, config, resnet_cache, tmp_path, weights)
    for left, right in zip(trained[0].get_weights(), stopped.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


def interrupted_after(steps, batches):
    yield from batches.take(steps)
    raise KeyboardInterrupt


@pytest.mark.parametrize(("change", "said"), [
    ({"backbone_multiplier": 1.0}, r"--backbone_multiplier=0.0 with cached .*; received --backbone_multiplier=1.0"),
    ({"image_size": 64}, "--image_size=32 with cached"), ({"image_sizes": "32,64"}, "--image_sizes= with cached"),
    ({"precision": "mixed_bfloat16"}, "--precision=float32")])
def test_what_needs_the_images_is_refused(resnet_cache, weights, tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        train_on_features(MODEL, dataclasses.replace(CONFIG, **change), resnet_cache, tmp_path, weights)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("sampling", "said"), [
    (SamplingConfig(augmentation="delg"), r"--augmentation=default with .*2 views .* fixed.*; received --augmentation=delg"),
    (SamplingConfig(sampler="balanced"), "--sampler=shuffled with cached")])
def test_augmentation_at_every_step_or_another_order_is_refused(resnet_cache, weights, tmp_path, sampling, said):
    with pytest.raises(UserError, match=said):
        train_on_features(MODEL, CONFIG, resnet_cache, tmp_path, weights, sampling)


def test_other_weights_than_the_caches_are_refused(resnet_cache, tmp_path):
    with pytest.raises(UserError, match="with other weights"):
        train_on_features(MODEL, CONFIG, resnet_cache, tmp_path, None)
