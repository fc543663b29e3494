"""HOW: the weighted sum of its local features, the stage that it stands on, what learns."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import preprocess
from landmark_zoo.core.errors import UserError
from landmark_zoo.models.how import build_how

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 130, 100, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def built():
    tf.keras.utils.set_random_seed(0)
    model = build_how("resnet18", 5, alpha=0.25, embedding_dim=16)
    model.get_layer("whitening").set_weights([np.random.default_rng(1).normal(size=(128, 16)), np.linspace(-2, 2, 16)])
    return model


@pytest.fixture
def model(built):
    initial = built.get_weights()
    yield built
    built.set_weights(initial)


@pytest.fixture(scope="module")
def outputs(built):
    return {name: value.numpy() for name, value in built(IMAGES).items()}


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def smoothed_by_loops(features):
    height, width = features.shape[:2]
    return np.array([[features[max(i - 1, 0):i + 2, max(j - 1, 0):j + 2].mean(axis=(0, 1)) for j in range(width)]
                     for i in range(height)])


def test_outputs(outputs):
    assert {name: value.shape for name, value in outputs.items()} == {
        "embedding": (2, 16), "feature_map": (2, 5, 4, 16), "attention/how": (2, 5, 4, 1), "local_features": (2, 5, 4, 16),
        "logits": (2, 5)}
    np.testing.assert_allclose(outputs["attention/how"].max(axis=(1, 2, 3)), 1)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=-1), 1, rtol=1e-5)


def test_equals_loops_with_the_maximum_of_the_batch(model, outputs):
    """As in the authors' code; after normalisation the maximum of the picture, which the model takes, is the same."""
    features = model.get_layer("resnet18")(preprocess(IMAGES, "standard"))["C5"].numpy()
    kernel, bias = model.get_layer("whitening").get_weights()
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    for row, image in enumerate(features):
        local = smoothed_by_loops(image) @ kernel + bias
        np.testing.assert_allclose(outputs["local_features"][row], local, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(outputs["attention/how"][row], lengths[row] / lengths[row].max(), rtol=1e-4)
        vector = np.sum(lengths[row] / lengths.max() * local, axis=(0, 1))
        np.testing.assert_allclose(outputs["embedding"][row], unit(vector), atol=1e-4)


def test_neighbors_in_the_batch_do_not_matter(model, outputs):
    for row in range(2):
        np.testing.assert_allclose(model(IMAGES[row:row + 1])["embedding"][0], outputs["embedding"][row], atol=1e-5)


def test_the_reduction_does_not_learn_the_backbone_does(model):
    assert not model.get_layer("whitening").trainable_weights
    weights = model.get_layer("resnet18").trainable_weights
    with tf.GradientTape() as tape:
        first, second = tf.unstack(model(IMAGES, training=True)["embedding"])
        loss = tf.reduce_sum((first - second) ** 2)
    gradients = tape.gradient(loss, weights)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    assert np.mean([np.any(gradient) for gradient in gradients]) > 0.8


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["embedding"].shape == (1, 16)


@pytest.mark.slow
def test_resnet50_loses_its_last_stage():
    model = build_how("resnet50")
    assert model.output_shape["feature_map"] == (None, None, None, 128)
    assert model.get_layer("whitening").count_params() == 131_200
    layers = [layer.name for layer in model.get_layer("resnet50").layers]
    assert "conv4_block6_out" in layers
    assert not any(name.startswith("conv5") for name in layers)


def test_resnet18_keeps_it_and_128_is_the_default():
    assert build_how("resnet18").get_layer("whitening").count_params() == 65_664


def test_without_reduction():
    assert build_how("mobilenet", alpha=0.25, embedding_dim=None).output_shape["embedding"] == (None, 256)


def test_more_dimensions_than_channels():
    with pytest.raises(UserError, match=r"at most 128 for resnet18_how, .* channels; received 512\. Lower it"):
        build_how("resnet18", alpha=0.25, embedding_dim=512)
