"""The defaults of training, by the size of a collection and by the model."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.layers.registry import HEADS
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.defaults import EPOCHS, MARGIN_HEADS, MIN_STEPS, default_embedding, default_settings


@given(st.integers(1, 10**7))
def test_every_collection_gets_batches_that_it_fills_and_steps_enough(images):
    found = default_settings(images)
    steps = found["epochs"] * (images // found["batch_size"])
    assert 1 <= found["batch_size"] <= images
    assert found["epochs"] >= EPOCHS
    assert steps >= MIN_STEPS
    assert found["epochs"] == EPOCHS or (found["epochs"] - 1) * (images // found["batch_size"]) < MIN_STEPS


def test_settings_are_those_of_the_two_configurations():
    names = {field.name for config in (ModelConfig, TrainingConfig) for field in dataclasses.fields(config)}
    found = default_settings(500)
    assert found.keys() <= names
    TrainingConfig(**{name: value for name, value in found.items() if name not in ("margin", "scale")})


def test_margin_heads_have_a_margin():
    assert all("margin" in vars(HEADS[name](num_classes=3)) for name in MARGIN_HEADS)


@pytest.mark.parametrize(("config", "expected"), [
    (ModelConfig("mobilenetv2_gem"), "pca"), (ModelConfig("resnet18_gc_add", embedding_dim=64), "pca"),
    (ModelConfig("mobilenetv2_gem", embedding_dim=0), "random"), (ModelConfig("resnet50_how"), "whitening"),
    (ModelConfig("resnet50_how", embedding_dim=0), "random"), (ModelConfig("mobilenet_netvlad"), "clusters"),
    (ModelConfig("mobilenet_gem", pooling="netvlad"), "clusters"), (ModelConfig("resnet50_delg"), "random"),
    (ModelConfig("resnet50_abn", embedding_dim=0), "random")])
def test_start_by_model(config, expected):
    assert default_embedding(config) == expected
