"""DELF: its outputs, its mean, and what it is without attention."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.preprocessing import preprocess
from landmark_zoo.core.errors import UserError
from landmark_zoo.models.delf import build_delf

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def built():
    tf.keras.utils.set_random_seed(0)
    return build_delf("resnet18", 5, alpha=0.25)


@pytest.fixture
def model(built):
    initial = built.get_weights()
    yield built
    built.set_weights(initial)


@pytest.fixture(scope="module")
def outputs(built):
    return {name: value.numpy() for name, value in built(IMAGES).items()}


def test_outputs(outputs):
    assert {name: value.shape for name, value in outputs.items()} == {
        "embedding": (2, 64), "feature_map": (2, 5, 3, 64), "attention/score": (2, 5, 3, 1),
        "local_features": (2, 5, 3, 64), "logits": (2, 5)}
    for name in ("embedding", "local_features"):
        np.testing.assert_allclose(np.linalg.norm(outputs[name], axis=-1), 1, rtol=1e-5)
    assert (outputs["attention/score"] >= 0).all()


def test_local_features_are_those_of_c4(model, outputs):
    features = model.get_layer("resnet18")(preprocess(IMAGES, "standard"))["C4"].numpy()
    np.testing.assert_allclose(outputs["local_features"], features / np.linalg.norm(features, axis=-1, keepdims=True),
                               rtol=1e-4, atol=1e-6)


def test_the_head_sees_the_mean_of_score_times_direction(model, outputs):
    """The mean, not divided by the scores, and not normalised before the head."""
    mean = np.mean(outputs["attention/score"] * outputs["local_features"], axis=(1, 2))
    kernel, bias = (weight.numpy() for weight in model.get_layer("softmax").weights)
    np.testing.assert_allclose(outputs["logits"], mean @ kernel.T + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["embedding"], mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-5)


def test_every_weight_learns(model):
    with tf.GradientTape() as tape:
        logits = model(IMAGES, training=True)["logits"]
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits([1, 4], logits))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        assert gradient is not None, weight.name
        assert np.isfinite(gradient).all(), weight.name


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 5)


def test_embedding_layer_and_another_backbone():
    model = build_delf("mobilenet", 5, alpha=0.25, embedding_dim=16, head="arcface", head_arguments={"scale": 7.0})
    assert model.name == "mobilenet_delf"
    assert model.output_shape["embedding"] == (None, 16)
    assert model.get_layer("arcface").scale == 7


def test_no_classes_no_head():
    assert "logits" not in build_delf("resnet18", alpha=0.25).output_shape


def test_unknown_backbone():
    with pytest.raises(UserError, match="a known backbone"):
        build_delf("alexnet")
