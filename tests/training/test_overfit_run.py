"""A recipe tried on one batch."""

import dataclasses

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.overfit_run import overfit_run
from landmark_zoo.training.sampling import SamplingConfig

MODEL = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125, margin=0.1, scale=10.0)
PARTS = {"objective": ObjectiveConfig(), "sampling": SamplingConfig()}


def test_a_recipe_that_learns(records, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overfit_run(MODEL, dataclasses.replace(config, learning_rate=1e-2), records, **PARTS)
    assert not list(tmp_path.iterdir())


def test_one_that_does_not(records, config, monkeypatch):
    monkeypatch.setattr("landmark_zoo.training.overfit_run.overfit_one_batch", lambda *_: False)
    with pytest.raises(UserError, match="a model that learns one batch by heart; received a loss that did not fall"):
        overfit_run(MODEL, config, records, **PARTS)
