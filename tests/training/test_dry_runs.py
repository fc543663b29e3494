import dataclasses

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.dry_runs import overfit_one_batch, overfit_run, smoke_settings
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.sampling import SamplingConfig

MODEL = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125, margin=0.1, scale=10.0)
PARTS = {"objective": ObjectiveConfig(), "sampling": SamplingConfig()}


@pytest.mark.slow
def test_a_recipe_that_learns(records, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overfit_run(MODEL, dataclasses.replace(config, learning_rate=1e-2), records, **PARTS)
    assert not list(tmp_path.iterdir())


def test_frozen_random_weights_are_said_in_capitals(records, config, caplog, monkeypatch):
    monkeypatch.setattr("landmark_zoo.training.dry_runs.overfit_one_batch", lambda *_: True)
    overfit_run(MODEL, dataclasses.replace(config, freeze_batchnorm=True), records, **PARTS)
    assert "RANDOM WEIGHTS" in caplog.text


def test_one_batch_needs_neither_cached_features_nor_a_teacher(records, config, monkeypatch):
    configs = []
    monkeypatch.setattr("landmark_zoo.training.dry_runs.overfit_one_batch", lambda *words: configs.append(words[3]) or True)
    overfit_run(MODEL, dataclasses.replace(config, cached_views=2, head_epochs=1), records,
                **{**PARTS, "objective": ObjectiveConfig(distillation="both")})
    assert [found.cached_views for found in configs] == [0]


def test_one_that_does_not(records, config, monkeypatch):
    monkeypatch.setattr("landmark_zoo.training.dry_runs.overfit_one_batch", lambda *_: False)
    with pytest.raises(UserError, match="a model that learns one batch by heart; received a loss that did not fall"):
        overfit_run(MODEL, config, records, **PARTS)


CONFIG = TrainingConfig(epochs=5, batch_size=8, learning_rate=0.1, head_epochs=2, schedule="step", decay_epochs="1,2")


@pytest.mark.parametrize(("rate", "fell"), [(0.1, True), (1e-6, False)])
def test_says_whether_the_loss_fell(toy, rate, fell):
    network = toy()
    labels = network.images.sum((1, 2, 3)) > 0
    config = dataclasses.replace(CONFIG, learning_rate=rate)
    assert overfit_one_batch(network.model, network.objective, network.groups(2), config, network.images,
                             labels.astype("int32"), steps=60, target=0.5) == fell


SETTINGS = {"model": "resnet18_se", "alpha": None, "dense_units": None, "weights": None, "initial_run": None,
            "initial_embedding": "pca", "teacher": "export/ensemble", "distillation": "both",
            "embedding_dim": 512, "epochs": 20, "batch_size": 128, "image_size": 224, "image_sizes": "160,224",
            "accumulate": 1, "head_epochs": 2, "sampler": "shuffled", "steps_per_epoch": 0, "images_per_class": 8,
            "negatives": 5, "query_size": 2000, "pool_size": 22000, "log_steps": 10, "cached_views": 0}


def test_small_in_every_way():
    new = smoke_settings(SETTINGS)
    assert new == {"epochs": 1, "batch_size": 8, "image_size": 96, "head_epochs": 1, "embedding_dim": 64, "query_size": 8,
                   "pool_size": 48, "images_per_class": 4, "log_steps": 1, "steps_per_epoch": 4, "image_sizes": "",
                   "initial_embedding": "random", "alpha": 0.25, "teacher": None, "distillation": "none"}
    assert smoke_settings({**SETTINGS, **new}) == {}
    assert "alpha" not in smoke_settings({**SETTINGS, "model": "xfeat"})  # it has no backbone to be narrowed


@pytest.mark.parametrize(("change", "new"), [
    ({"weights": "imagenet"}, {"alpha": 0.25, "weights": None}), ({"weights": "a.h5"}, {"alpha": None, "weights": "a.h5"}),
    ({"model": "resnet50_delg"}, {"alpha": None}),
    ({"model": "vgg16_classifier"}, {"dense_units": 64}), ({"model": "vgg16_gem"}, {"dense_units": None}),
    ({"initial_run": "runs/e2"}, {"alpha": None, "embedding_dim": 512}),
    ({"sampler": "classes_by_images", "images_per_class": 3}, {"batch_size": 6, "images_per_class": 3}),
    ({"sampler": "mined_tuples"}, {"batch_size": 7}), ({"accumulate": 8}, {"batch_size": 8, "accumulate": 2}),
    ({"batch_size": 4, "embedding_dim": 0}, {"batch_size": 4, "embedding_dim": 0})])
def test_what_it_depends_on(change, new):
    settings = {**SETTINGS, **change}
    settings |= smoke_settings(settings)
    assert {name: settings[name] for name in new} == new
