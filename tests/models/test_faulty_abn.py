"""The network with the faults: they must all be there."""

import math

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.models.faulty_abn import build_faulty_abn

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return build_faulty_abn(dense_units=8)


def test_logits_are_weighted_probabilities(model):
    outputs = model(IMAGES)
    np.testing.assert_allclose(np.sum(outputs["logits"], axis=1), 1.25, rtol=1e-5)
    none = build_faulty_abn("vgg16", 5, attention_weight=0.0, dense_units=8)
    np.testing.assert_allclose(np.sum(none(IMAGES)["logits"], axis=1), 1, rtol=1e-5)


def test_the_best_it_can_say_is_far_from_certain():
    """As logged by the study, whose loss was divided by its batch of 32: .0667 at best, .10299 for no idea at all."""
    best = np.zeros((1, 27), np.float32)
    best[0, 3] = 1.25
    np.testing.assert_allclose(softmax_cross_entropy(np.array([3]), best) / 32, 0.0667, atol=5e-5)
    np.testing.assert_allclose(math.log(27) / 32, 0.10299, atol=5e-6)


def test_map_multiplies_without_residual(model):
    outputs = model(IMAGES)
    assert outputs["attention/abn"].shape == (2, 7, 7, 1)
    convolution = model.get_layer("map")
    kernel, bias = convolution.get_weights()
    convolution.set_weights([np.zeros_like(kernel), np.full_like(bias, -100.0)])
    try:
        np.testing.assert_allclose(model(IMAGES)["feature_map"], 0, atol=1e-6)
    finally:
        convolution.set_weights([kernel, bias])


def test_parameters_are_those_of_the_study(model):
    """139,150,636 there, with 8,448 in the BatchNorm of the convolutions and layers of 4096."""
    def dense(width):
        return (7 * 7 * 512 + 1) * width + (width + 1) * width + (width + 1) * 27

    trained = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    assert trained - dense(8) + dense(4096) == 139_150_636 - 8_448


@pytest.mark.parametrize("arguments", [{"embedding_dim": 16}, {"head": "arcface"}, {"num_classes": None}])
def test_what_would_change_it_is_refused(arguments):
    with pytest.raises(UserError, match=r"the head softmax for vgg16_abn_faulty"):
        build_faulty_abn(**arguments)
