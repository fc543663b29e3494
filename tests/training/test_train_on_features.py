import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.resnet18 import ResNet18
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.models.on_features import on_features
from landmark_zoo.training.build_feature_cache import build_feature_cache
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.feature_cache import Views
from landmark_zoo.training.history import read_history
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.train_on_features import train_on_features
from landmark_zoo.training.workdir import read_model

MODEL = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25, margin=0.1, scale=10.0)
CONFIG = TrainingConfig(epochs=4, batch_size=8, image_size=32, learning_rate=1e-2, backbone_multiplier=0.0, log_steps=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A weight file of a narrow ResNet-18."""
    tf.keras.utils.set_random_seed(7)
    path = tmp_path_factory.mktemp("weights") / "resnet18.weights.h5"
    ResNet18(include_top=False, weights=None, input_shape=(None, None, 3), alpha=0.25).save_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def cache(records, weights, tmp_path_factory):
    model = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.25).build(4, weights)
    return build_feature_cache(on_features(model)[0], "resnet18", read_manifest(records / "train"),
                               tmp_path_factory.mktemp("cache"), Views(32, 2))


def test_it_learns_and_leaves_the_backbone_alone(cache, weights, tmp_path):
    model = train_on_features(MODEL, CONFIG, cache, tmp_path, weights)
    losses = [line["loss"] for line in read_history(tmp_path / "history.jsonl")]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) - 0.2
    untouched, attention = (MODEL.build(4, weights) for _ in range(2))
    load_weights(attention, tmp_path, "initial")
    backbone = model.get_layer("resnet18").get_weights()
    for left, right in zip(backbone, untouched.get_layer("resnet18").get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert np.abs(model.get_layer("se").get_weights()[0] - attention.get_layer("se").get_weights()[0]).max() > 1e-4


def test_its_folder_is_read_like_that_of_any_run(cache, weights, tmp_path):
    model = train_on_features(MODEL, CONFIG, cache, tmp_path, weights)
    config, facts = read_model(tmp_path)
    again = config.build(facts["num_classes"])
    assert load_weights(again, tmp_path) == 24
    images = tf.random.stateless_uniform([2, 48, 32, 3], [0, 1], 0, 255)
    np.testing.assert_allclose(model(images)["embedding"], again(images)["embedding"], atol=1e-6)


def test_stopped_and_started_again_it_ends_where_an_uninterrupted_run_ends(cache, weights, tmp_path,
                                                                           monkeypatch):
    whole = train_on_features(MODEL, CONFIG, cache, tmp_path / "whole", weights)
    config = dataclasses.replace(CONFIG, checkpoint_steps=3)
    with monkeypatch.context() as patched:
        patched.setattr(type(cache), "epoch", _stops_after(10, type(cache).epoch))
        with pytest.raises(KeyboardInterrupt):
            train_on_features(MODEL, config, cache, tmp_path / "stopped", weights)
    stopped = train_on_features(MODEL, config, cache, tmp_path / "stopped", weights)
    for left, right in zip(whole.get_weights(), stopped.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


def _stops_after(steps, epoch):
    def stopped(cache, batch_size, seed, number, skip=0):
        for step, batch in enumerate(epoch(cache, batch_size, seed, number, skip)):
            if 6 * number + step == steps:
                raise KeyboardInterrupt
            yield batch
    return lambda *arguments: _AsDataset(stopped(*arguments))


class _AsDataset:
    def __init__(self, batches):
        self._batches = batches

    def __iter__(self):
        return self._batches


@pytest.mark.parametrize(("change", "said"), [
    ({"backbone_multiplier": 1.0}, r"--backbone_multiplier=0.0 with cached .*; received --backbone_multiplier=1.0"),
    ({"image_size": 64}, "--image_size=32 with cached"), ({"image_sizes": "32,64"}, "--image_sizes= with cached"),
    ({"precision": "mixed_bfloat16"}, "--precision=float32")])
def test_what_needs_the_photographs_is_refused(cache, weights, tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        train_on_features(MODEL, dataclasses.replace(CONFIG, **change), cache, tmp_path, weights)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("sampling", "said"), [
    (SamplingConfig(augmentation="delg"), r"--augmentation=default with .*2 views .* fixed.*; received --augmentation=delg"),
    (SamplingConfig(sampler="balanced"), "--sampler=shuffled with cached")])
def test_augmentation_at_every_step_or_another_order_is_refused(cache, weights, tmp_path, sampling, said):
    with pytest.raises(UserError, match=said):
        train_on_features(MODEL, CONFIG, cache, tmp_path, weights, sampling)


def test_other_weights_than_the_caches_are_refused(cache, tmp_path):
    with pytest.raises(UserError, match="with other weights"):
        train_on_features(MODEL, CONFIG, cache, tmp_path, None)
