"""DELG: its outputs, which loss trains what, its parameters."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.preprocessing import preprocess
from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.delg_loss import delg_loss
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.models.delg import build_delg

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)
LABELS = np.array([1, 4])


@pytest.fixture(scope="module")
def built():
    tf.keras.utils.set_random_seed(0)
    return build_delg("resnet18", 5, alpha=0.25, embedding_dim=16)


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
        "embedding": (2, 16), "feature_map": (2, 3, 2, 128), "local_features": (2, 5, 3, 128),
        "attention/score": (2, 5, 3, 1), "attention_logits": (2, 5), "reconstruction_error": (2,), "logits": (2, 5)}
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)


def test_embedding_is_a_dense_layer_on_the_pooled_vector_at_its_own_length(model, outputs):
    model.get_layer("whitening").bias.assign(np.linspace(-1, 1, 16))
    pooled = np.mean(np.maximum(outputs["feature_map"], 1e-6) ** 3, axis=(1, 2)) ** (1 / 3)
    kernel, bias = model.get_layer("whitening").get_weights()
    expected = pooled @ kernel + bias
    np.testing.assert_allclose(model(IMAGES)["embedding"], expected / np.linalg.norm(expected, axis=1, keepdims=True),
                               atol=1e-5)


def test_logits_are_arcface_of_the_embedding(model, outputs):
    head = model.get_layer("arcface")
    assert (head.scale, head.margin) == (45.25, 0.1)
    kernel = head.kernel.numpy() / np.linalg.norm(head.kernel, axis=1, keepdims=True)
    np.testing.assert_allclose(outputs["logits"], 45.25 * outputs["embedding"] @ kernel.T, rtol=1e-4, atol=1e-4)


def test_attention_logits_are_a_dense_layer_on_the_mean_of_reconstructions(model, outputs):
    branch = model.get_layer("local_branch").attention
    kernel, bias = branch.expand.get_weights()
    reconstructed = np.maximum(outputs["local_features"] @ kernel[0, 0] + bias, 0)
    directions = reconstructed / np.linalg.norm(reconstructed, axis=-1, keepdims=True)
    mean = np.mean(outputs["attention/score"] * directions, axis=(1, 2))
    kernel, bias = model.get_layer("attention_classifier").get_weights()
    np.testing.assert_allclose(outputs["attention_logits"], mean @ kernel + bias, rtol=1e-4, atol=1e-5)
    features = model.get_layer("resnet18")(preprocess(IMAGES, "standard"))["C4"]
    np.testing.assert_allclose(outputs["reconstruction_error"], np.mean((features - reconstructed) ** 2, axis=(1, 2, 3)),
                               rtol=1e-4)


def test_each_loss_trains_its_own_branch(model):
    backbone = model.get_layer("resnet18").trainable_weights
    local = [*model.get_layer("local_branch").trainable_weights, *model.get_layer("attention_classifier").trainable_weights]
    rest = [*model.get_layer("whitening").trainable_weights, *model.get_layer("arcface").trainable_weights]

    def moved(gradients):
        return [gradient is not None and bool(np.any(gradient)) for gradient in gradients]

    with tf.GradientTape(persistent=True) as tape:
        outputs = model(IMAGES, training=True)
        world = softmax_cross_entropy(LABELS, model.get_layer("arcface").training_logits(outputs["logits"], LABELS))
        attention = softmax_cross_entropy(LABELS, outputs["attention_logits"])
        side = delg_loss(tf.zeros_like(world), attention, outputs["reconstruction_error"])
        total = delg_loss(world, attention, outputs["reconstruction_error"])
    assert not any(moved(tape.gradient(side, backbone + rest)))
    assert np.mean(moved(tape.gradient(side, local))) > 0.8
    assert not any(moved(tape.gradient(world, local)))
    assert all(moved(tape.gradient(world, rest)))
    assert np.mean(moved(tape.gradient(world, backbone))) > 0.8
    for gradient, alone in zip(tape.gradient(total, backbone), tape.gradient(world, backbone), strict=True):
        np.testing.assert_array_equal(gradient, alone)


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 5)


def test_saved_model_round_trip(model, outputs, tmp_path):
    images = tf.TensorSpec([None, None, None, 3], tf.uint8)
    tf.saved_model.save(model, str(tmp_path / "saved"), tf.function(model).get_concrete_function(images))
    loaded = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"](tf.constant(IMAGES))
    assert set(loaded) == set(outputs)
    for name, values in outputs.items():
        np.testing.assert_allclose(loaded[name], values, rtol=1e-3, atol=1e-4)


def test_parameters_of_the_paper():
    """2048 x 2048 + 2048 in the dense layer of ResNet-50; here ResNet-18, whose last map has 512 channels."""
    model = build_delg("resnet18", 7)
    assert model.get_layer("whitening").count_params() == 512 * 2048 + 2048
    assert model.get_layer("arcface").count_params() == 2048 * 7
    assert model.get_layer("attention_classifier").count_params() == 256 * 7 + 7


def test_another_head_and_no_embedding_layer():
    model = build_delg("mobilenet", 5, alpha=0.25, embedding_dim=None, head="softmax")
    assert model.output_shape["embedding"] == (None, 256)
    model = build_delg("mobilenet", 5, alpha=0.25, head_arguments={"margin": 0.4})
    assert (model.get_layer("arcface").scale, model.get_layer("arcface").margin) == (45.25, 0.4)


def test_without_classes_the_reconstruction_is_left():
    assert set(build_delg("resnet18", alpha=0.25).output_shape) == {
        "embedding", "feature_map", "local_features", "attention/score", "reconstruction_error"}


def test_one_class():
    with pytest.raises(ValueError, match="expected num_classes >= 2; received 1"):
        build_delg("resnet18", 1, alpha=0.25)


def test_unknown_head():
    with pytest.raises(UserError, match="a known head"):
        build_delg("resnet18", 5, alpha=0.25, head="tail")
