"""Frozen features under dense layers."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.frozen_classifier import build_frozen_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return build_frozen_classifier(dense_units=8)


def test_outputs(model):
    outputs = model(IMAGES)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "feature_map": (2, 2, 1, 512), "embedding": (2, 8), "logits": (2, 27)}
    lengths = np.linalg.norm(outputs["embedding"], axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 27)


def test_only_the_dense_layers_learn(model):
    trained = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    assert trained == (7 * 7 * 512 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 27
    assert model.count_params() - trained == 14_714_688


def test_embedding_layer_and_another_head():
    model = build_frozen_classifier("vgg16", 5, dense_units=8, embedding_dim=4, head="arcface")
    outputs = model(IMAGES)
    assert (outputs["embedding"].shape, outputs["logits"].shape) == ((2, 4), (2, 5))


def test_weights_that_are_not_there():
    with pytest.raises(UserError, match="a weight file for vgg16"):
        build_frozen_classifier(weights="nowhere.h5")


def test_another_backbone():
    model = build_frozen_classifier("mobilenet", 5, alpha=0.25, dense_units=8)
    assert model.name == "mobilenet_classifier"
    assert {weight.name.split("/")[0] for weight in model.trainable_weights} == {"fc1", "fc2", "softmax"}
    assert model(IMAGES)["logits"].shape == (2, 5)
