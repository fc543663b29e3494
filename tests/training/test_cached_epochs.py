import dataclasses
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import augmentation
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.cached_epochs import CachedEpochs
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.history import read_history, read_model
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.trainer import PreemptedError

CONFIG = TrainingConfig(epochs=3, batch_size=8, image_size=32, learning_rate=1e-2, log_steps=1, head_epochs=2,
                        cached_views=2)
SHUFFLED = SamplingConfig()


@pytest.fixture(scope="module")
def model(model_config):
    """ResNet-18 of an eighth of its width: a map of 32 pixels is 1 x 1 x 64."""
    return model_config.build(4)


@pytest.fixture
def cached(model, train_only, tmp_path):
    """Makes the batches of a run, whose images are the word "images" and whose objectives are models' names."""
    def make(config=CONFIG, sampling=SHUFFLED, model=model):
        return CachedEpochs(Images(), model, lambda part: lambda *_: part.name, read_manifest(train_only / "train"), config,
                            sampling, tmp_path)
    return make


class Images:
    """Stands in for `EpochData`."""

    steps_per_epoch = 6

    def __call__(self, epoch, skip):
        return "images"


def losses(workdir):
    return [line["loss"] for line in read_history(workdir / "history.jsonl") if "loss" in line]


def weights(workdir):
    config, facts = read_model(workdir)
    model = config.build(facts["num_classes"])
    load_weights(model, workdir)
    return model.get_weights()


def test_a_run_on_the_evaluation_view_is_that_on_the_images(train_only, model_config, tmp_path, monkeypatch):
    """Without random views and with one decoder, in steps of all images, maps rounded to float16 are all that differs."""
    for option, value in (("dct_method", "INTEGER_ACCURATE"), ("fancy_upscaling", True)):
        monkeypatch.setitem(augmentation._JPEG, option, value)
    config = dataclasses.replace(CONFIG, epochs=2, batch_size=48, learning_rate=0.1, optimizer="sgd", cached_views=1,
                                 warmup_fraction=0.0)
    for name, changed in (("cached", config), ("plain", dataclasses.replace(config, cached_views=0))):
        run_training(model_config, changed, train_only, tmp_path / name, sampling=SamplingConfig(augmentation="none"),
                     dry_run=True)
    found, expected = losses(tmp_path / "cached"), losses(tmp_path / "plain")
    assert len(found) == 2
    assert expected[0] - expected[1] > 0.02
    np.testing.assert_allclose(found, expected, atol=4e-3)
    assert not (tmp_path / "cached" / "features").exists()


@pytest.mark.slow
def test_stopped_in_a_cached_epoch_it_ends_where_an_uninterrupted_run_ends(train_only, model_config, tmp_path):
    run_training(model_config, CONFIG, train_only, tmp_path / "whole", dry_run=True)
    asked = []
    with pytest.raises(PreemptedError, match="Saved at step 8 of 18"):
        run_training(model_config, CONFIG, train_only, tmp_path / "stopped", dry_run=True,
                     should_stop=lambda: asked.append(1) or len(asked) >= 9)
    files = sorted((tmp_path / "stopped" / "features").rglob("*.npy"))
    assert [file.name for file in files] == ["labels.npy", "00000.npy", "00000.npy"]
    for file in files[:2]:  # as if it had been killed while the cache was made
        file.unlink()
    more = dataclasses.replace(CONFIG, cache_gigabytes=1.0)
    run_training(model_config, more, train_only, tmp_path / "stopped", dry_run=True)
    whole, stopped = losses(tmp_path / "whole"), losses(tmp_path / "stopped")
    assert len(whole) == 18
    assert np.mean(whole[-6:]) < np.mean(whole[:6]) - 0.1
    np.testing.assert_allclose(whole, stopped, atol=2e-3)
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "stopped"), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-3)


def test_maps_first_and_images_after(cached, tmp_path):
    epochs = cached()
    assert epochs.num_epochs == 2
    assert epochs.num_bytes == 2 * 48 * 64 * 2
    assert epochs.objective(tf.zeros([2, 32, 32, 3]), None, True) == "resnet18_gem"
    first, again, second = (list(epochs(epoch, 0)) for epoch in (0, 0, 1))
    assert [maps.shape.as_list() for maps, _ in first] == [[8, 1, 1, 64]] * 6
    assert sum(path.stat().st_size for path in tmp_path.rglob("view_*/*.npy")) == epochs.num_bytes + 2 * 128
    for (maps, labels), (same, same_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(maps, same)
        np.testing.assert_array_equal(labels, same_labels)
    assert np.abs(first[0][0] - second[0][0]).max() > 0.1
    assert epochs.objective(first[0][0], None, True) == "resnet18_gem_on_features"
    assert epochs(2, 0) == "images"
    assert not (tmp_path / "features").exists()


def test_views_are_drawn_and_a_resumed_epoch_is_the_rest(cached):
    epochs = cached(dataclasses.replace(CONFIG, cached_views=3))
    whole, rest = list(epochs(1, 0)), list(epochs(1, 4))
    assert len(rest) == 2
    for (maps, _), (same, _) in zip(whole[4:], rest, strict=True):
        np.testing.assert_array_equal(maps, same)
    distinct = {maps.tobytes() for epoch in range(2) for batch, _ in epochs(epoch, 0) for maps in batch.numpy()}
    assert 48 < len(distinct) <= 3 * 48


def test_the_samplers_batches(cached):
    batches = list(cached(sampling=SamplingConfig("classes_by_images", images_per_class=4))(0, 0))
    assert all(sorted(np.unique(labels, return_counts=True)[1]) == [4, 4] for _, labels in batches)
    assert len(list(cached(sampling=SamplingConfig("balanced"))(0, 2))) == 4


@pytest.mark.parametrize(("change", "sampling", "said"), [
    ({"freeze_batchnorm": False}, {}, "--freeze_batchnorm with --cached_views.*received --nofreeze_batchnorm"),
    ({"image_sizes": "32,64,96"}, {}, r"crops of one size in the 2 epochs .*; received --image_sizes=32,64,96"),
    ({}, {"sampler": "aspect_groups"}, "--sampler among shuffled, balanced, classes_by_images .*; received aspect_groups"),
    ({"cache_gigabytes": 1e-5}, {}, r"--cache_gigabytes >= 1\.23e-05 for 2 views of 48 images; received 1e-05\. Raise it")])
def test_what_cannot_be_cached_is_one_line(cached, change, sampling, said):
    with pytest.raises(UserError, match=said) as error:
        cached(dataclasses.replace(CONFIG, **change), SamplingConfig(**sampling))
    assert "\n" not in str(error.value)


def test_a_fixed_backbone_needs_no_head_epochs(cached):
    fixed = dataclasses.replace(CONFIG, head_epochs=0, freeze="all", freeze_batchnorm=False)
    assert cached(fixed).num_epochs == 3


def test_several_devices(cached, monkeypatch):
    monkeypatch.setattr(WorkerInfo, "current", classmethod(lambda cls: cls(2, 0, 2)))
    with pytest.raises(UserError, match="one device for --cached_views; received 2"):
        cached()


def test_a_full_disk_is_said_before(cached, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    with pytest.raises(UserError, match=r"1\.23e-05 GB of disk space for cached features in .*; received 1e-05 GB free"):
        cached()


def test_attention_inside_the_backbone(cached):
    inside = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.125, placement="stages").build(4)
    with pytest.raises(UserError, match="nothing of its backbone but the last feature map"):
        cached(model=inside)
