"""The smallest run of a recipe."""

import pytest

from landmark_zoo.training.smoke import smoke_settings

SETTINGS = {"model": "resnet18_se", "alpha": None, "dense_units": None, "weights": None, "initial_run": None,
            "initial_embedding": "pca",
            "embedding_dim": 512, "epochs": 20, "batch_size": 128, "image_size": 224, "image_sizes": "160,224",
            "accumulate": 1, "head_epochs": 2, "sampler": "shuffled", "steps_per_epoch": 0, "images_per_class": 8,
            "negatives": 5, "query_size": 2000, "pool_size": 22000, "log_steps": 10}


def test_small_in_every_way():
    new = smoke_settings(SETTINGS)
    assert new == {"epochs": 1, "batch_size": 8, "image_size": 96, "head_epochs": 1, "embedding_dim": 64, "query_size": 8,
                   "pool_size": 48, "images_per_class": 4, "log_steps": 1, "steps_per_epoch": 4, "image_sizes": "",
                   "initial_embedding": "random", "alpha": 0.25}
    assert smoke_settings({**SETTINGS, **new}) == {}


@pytest.mark.parametrize(("change", "new"), [
    ({"weights": "imagenet"}, {"alpha": None}), ({"model": "resnet50_delg"}, {"alpha": None}),
    ({"model": "vgg16_classifier"}, {"dense_units": 64}), ({"model": "vgg16_gem"}, {"dense_units": None}),
    ({"initial_run": "runs/e2"}, {"alpha": None, "embedding_dim": 512}),
    ({"sampler": "classes_by_images", "images_per_class": 3}, {"batch_size": 6, "images_per_class": 3}),
    ({"sampler": "mined_tuples"}, {"batch_size": 7}), ({"accumulate": 8}, {"batch_size": 8, "accumulate": 2}),
    ({"batch_size": 4, "embedding_dim": 0}, {"batch_size": 4, "embedding_dim": 0})])
def test_what_it_depends_on(change, new):
    settings = {**SETTINGS, **change}
    settings |= smoke_settings(settings)
    assert {name: settings[name] for name in new} == new
