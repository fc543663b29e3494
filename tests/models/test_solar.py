"""SOLAR: identity at its start, where its blocks stand, and that the last stage sees the first of them."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import preprocess
from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.models.build import build_model
from landmark_zoo.models.solar import build_solar

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 130, 100, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of a narrow ResNet-18 on disk, in place of pretrained ones."""
    tf.keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.weights.h5"
    ResNet18(alpha=0.25).save_weights(path)
    return path


@pytest.fixture(scope="module")
def built(weights):
    return build_solar("resnet18", 5, weights=weights, alpha=0.25, embedding_dim=16)


@pytest.fixture
def model(built):
    initial = built.get_weights()
    yield built
    built.set_weights(initial)


def block(model, tap):
    return model.get_layer("resnet18").get_layer(f"solar_{tap}")


def switch_on(model, tap):
    layer = block(model, tap)
    layer.v.kernel.assign(np.random.default_rng(1).normal(scale=0.2, size=layer.v.kernel.shape))
    return layer


def test_outputs(model):
    outputs = model(IMAGES)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "embedding": (2, 16), "feature_map": (2, 5, 4, 128), "attention/solar_c4/solar": (2, 9, 7, 1),
        "attention/solar_c5/solar": (2, 5, 4, 1), "logits": (2, 5)}
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_starts_as_the_plain_network_with_gem(weights):
    plain = build_model("resnet18", weights=weights, alpha=0.25, embedding_dim=None)(IMAGES)
    solar = build_solar("resnet18", weights=weights, alpha=0.25, embedding_dim=None)(IMAGES)
    for name in ("embedding", "feature_map"):
        np.testing.assert_allclose(solar[name], plain[name], rtol=1e-4, atol=1e-5)


def test_middle_of_each_block(model):
    assert block(model, "c4").f.filters == 64 // 4
    assert block(model, "c5").f.filters == 128 // 2


def test_the_last_stage_sees_the_block_on_c4(model, weights):
    plain = ResNet18(alpha=0.25)
    plain.load_weights(weights)
    middle = plain.get_layer("conv4_out").output
    features = tf.keras.Model(plain.input, middle)(preprocess(IMAGES, "standard"))
    attended, _ = switch_on(model, "c4")(features)
    expected = tf.keras.Model(middle, plain.output)(attended)
    np.testing.assert_allclose(model(IMAGES)["feature_map"], expected, rtol=1e-3, atol=1e-4)
    assert np.max(np.abs(attended - features)) > 0.01


def test_embedding_from_the_feature_map(model):
    switch_on(model, "c5")
    outputs = model(IMAGES)
    pooled = np.mean(np.maximum(outputs["feature_map"], 1e-6) ** 3.0, axis=(1, 2)) ** (1 / 3)
    kernel, bias = model.get_layer("embedding").get_weights()
    vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True) @ kernel + bias
    np.testing.assert_allclose(outputs["embedding"], vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-5)


def test_everything_learns_the_power_too(model):
    for tap in ("c4", "c5"):
        switch_on(model, tap)
    with tf.GradientTape() as tape:
        logits = model(IMAGES, training=True)["logits"]
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits([1, 4], logits))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        assert gradient is not None, weight.name
        assert np.isfinite(gradient).all(), weight.name
    assert model.get_layer("gem").trainable_weights


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["embedding"].shape == (1, 16)


@pytest.mark.slow
def test_another_backbone_and_the_default_dimension():
    model = build_solar("mobilenet", alpha=0.25)
    assert model.name == "mobilenet_solar"
    assert model.output_shape["embedding"] == (None, 2048)
    assert "logits" not in model.output_shape
