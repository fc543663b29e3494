"""Impossible settings are refused with the flag's name."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.registry import HEADS
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import (
    EPOCHS,
    MARGIN_HEADS,
    MIN_STEPS,
    TrainingConfig,
    default_settings,
    fixed_factor,
)
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.sampling import SamplingConfig


@pytest.mark.parametrize(("change", "said"), [
    ({"batch_size": 0}, "--batch_size >= 1; received 0"), ({"image_size": 16}, "--image_size >= 32"),
    ({"optimizer": "lion"}, "--optimizer among sgd, adam, adamw; received 'lion'"),
    ({"learning_rate": 0.0}, "--learning_rate > 0"), ({"head_multiplier": -1.0}, "--head_multiplier >= 0; received -1.0"),
    ({"schedule": "sine"}, "--schedule among cosine, .*; received 'sine'"), ({"precision": "float16"}, "--precision among"),
    ({"freeze": "c5"}, "--freeze among none, c2, c3, c4, all"), ({"accumulate": 0}, "--accumulate >= 1"),
    ({"accumulate": 5}, "a --batch_size that --accumulate divides; received 32 and 5"),
    ({"ema_momentum": 1.0}, "--ema_momentum < 1"), ({"weight_decay": -1e-5}, "--weight_decay >= 0"),
    ({"image_sizes": "160,224,192"}, "--image_sizes of whole numbers from 32 up, smallest first"),
    ({"image_sizes": "160;192"}, "--image_sizes"), ({"image_sizes": "16,32"}, "--image_sizes"),
    ({"schedule": "step"}, "--decay_epochs with --schedule=step, and only there; received '' with step"),
    ({"decay_epochs": "3"}, "--decay_epochs with --schedule=step"), ({"decay_factor": 0.5}, "--decay_factor <= 1, with"),
    ({"schedule": "exponential", "decay_factor": 1.5}, "--decay_factor <= 1"), ({"decay_power": 0.0}, "--decay_power > 0"),
    ({"schedule": "constant", "final_learning_rate": 1e-6}, "--final_learning_rate <= --learning_rate, with cosine"),
    ({"final_learning_rate": 1.0}, "--final_learning_rate <= --learning_rate"),
    ({"backbone_multiplier": 0.0, "freeze": "c3"}, "--backbone_multiplier > 0 where --freeze leaves stages"),
    ({"backbone_multiplier": 0.0, "head_epochs": 1}, "--head_epochs=0 where the backbone never learns; received 1"),
    ({"freeze": "all", "head_epochs": 1}, "--head_epochs=0 where the backbone never learns"),
    ({"freeze": "all", "head_multiplier": 0.0}, "something that learns"),
    ({"head_multiplier": 0.0, "head_epochs": 1}, "something that learns"),
    ({"head_epochs": 4}, "--head_epochs <= --epochs; received 4 and 3"),
    ({"layer_decay": 0.0}, "0 < --layer_decay <= 1, and 1 where the backbone never learns; received 0.0"),
    ({"layer_decay": 1.1}, "--layer_decay <= 1"), ({"layer_decay": 0.9, "freeze": "all"}, "1 where the backbone never"),
    ({"layer_decay": 0.9, "backbone_multiplier": 0.0}, "1 where the backbone never learns; received 0.9"),
    ({"weight_interpolation": "0"}, "--weight_interpolation=auto or a number above 0 and up to 1; received '0'"),
    ({"weight_interpolation": "1.5"}, "up to 1; received '1.5'"), ({"weight_interpolation": "nan"}, "received 'nan'"),
    ({"weight_interpolation": "half"}, "received 'half'. Mend --weight_interpolation"),
    ({"keep": "newest"}, "--keep among best, last; received 'newest'"), ({"patience": -1}, "--patience >= 0; received -1"),
    ({"cached_views": 2}, "epochs in which the backbone stands still for --cached_views; received none. Give --head_epochs"),
    ({"cached_views": -1}, "--cached_views >= 0"), ({"cache_gigabytes": -1.0}, "--cache_gigabytes >= 0")])
def test_refused(change, said):
    with pytest.raises(UserError, match=said):
        TrainingConfig(**change)


@pytest.mark.parametrize("config", [TrainingConfig, ObjectiveConfig, SamplingConfig])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite(config, value):
    for field in dataclasses.fields(config):
        if isinstance(field.default, float):
            with pytest.raises(UserError, match=f"--{field.name}"):
                config(**{field.name: value})


@pytest.mark.parametrize("seed", [-1, 2**32, 10**12])
def test_seeds_past_32_bits(seed):
    with pytest.raises(UserError, match="--seed from 0 to 4294967295"):
        TrainingConfig(seed=seed)


def test_a_frozen_backbone_said_twice_is_no_contradiction():
    assert TrainingConfig(backbone_multiplier=0.0, freeze="all").freeze == "all"


@pytest.mark.parametrize(("epochs", "sizes", "expected"), [
    (6, "160,192,224", [160, 160, 192, 192, 224, 224]), (4, "160,192,224", [160, 160, 192, 224]),
    (2, "160,192,224", [160, 192]), (3, "", [200, 200, 200]), (5, "64", [64] * 5)])
def test_images_grow(epochs, sizes, expected):
    config = TrainingConfig(epochs=epochs, image_size=200, image_sizes=sizes)
    assert [config.size_at(epoch) for epoch in range(epochs)] == expected
    assert config.size_at(epochs) == (int(sizes.split(",")[-1]) if sizes else 200)


@pytest.mark.parametrize(("text", "factor"), [("auto", 1), ("1", 1), (".25", 0.25), ("0.5", 0.5)])
def test_factors(text, factor):
    assert fixed_factor(TrainingConfig(weight_interpolation=text).weight_interpolation) == factor


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, 0), ({"head_epochs": 2}, 2), ({"freeze": "c4"}, 0), ({"freeze": "all"}, 5), ({"backbone_multiplier": 0.0}, 5)])
def test_epochs_in_which_the_backbone_stands_still(settings, expected):
    assert TrainingConfig(epochs=5, **settings).still_epochs == expected


def test_no_epochs():
    assert TrainingConfig(epochs=0, image_sizes="64,96").size_at(0) == 64


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
