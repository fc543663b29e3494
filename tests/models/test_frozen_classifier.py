"""VGG-16 with frozen features."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.vgg16_classifier import build_vgg16_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return build_vgg16_classifier(width=8)


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
    model = build_vgg16_classifier(5, width=8, embedding_dim=4, head="arcface")
    outputs = model(IMAGES)
    assert (outputs["embedding"].shape, outputs["logits"].shape) == ((2, 4), (2, 5))


def test_weights_that_are_not_there():
    with pytest.raises(UserError, match="a weight file for vgg16"):
        build_vgg16_classifier(weights="nowhere.h5")
