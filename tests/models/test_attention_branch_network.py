"""Attention Branch Networks: their parts, their parameters, and what they are without attention."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.preprocessing import preprocess
from landmark_zoo.backbones.resnet18 import ResNet18
from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.attention_branch_loss import attention_branch_loss
from landmark_zoo.models.attention_branch_network import build_attention_branch_network

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)
LABELS = np.array([1, 4])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of a narrow ResNet-18 on disk, in place of pretrained ones."""
    tf.keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.weights.h5"
    ResNet18(alpha=0.25).save_weights(path)
    return path


@pytest.fixture(scope="module")
def built(weights):
    return build_attention_branch_network("resnet18", 5, weights=weights, alpha=0.25)


@pytest.fixture
def model(built):
    initial = built.get_weights()
    yield built
    built.set_weights(initial)


def shapes(outputs):
    return {name: tuple(value.shape) for name, value in outputs.items()}


def set_map(model, value):
    """Makes the attention map `value` everywhere."""
    norm = model.get_layer("attention_branch").map_norm
    norm.gamma.assign([0.0])
    norm.beta.assign([{0: -100.0, 0.5: 0.0}[value]])


def test_outputs(model):
    outputs = model(IMAGES)
    assert shapes(outputs) == {"attention/abn": (2, 5, 3, 1), "attention_logits": (2, 5), "feature_map": (2, 3, 2, 128),
                               "embedding": (2, 128), "logits": (2, 5)}
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)
    for name in ("logits", "attention_logits"):
        assert outputs[name].dtype == tf.float32
        assert not np.allclose(np.sum(outputs[name], axis=1), 1), f"{name} are no probabilities"


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 5)


def test_a_map_of_zeros_is_the_plain_network(model, weights):
    set_map(model, 0)
    plain = build_backbone("resnet18", weights, 0.25)(preprocess(IMAGES, "standard"))["C5"]
    outputs = model(IMAGES)
    np.testing.assert_allclose(outputs["feature_map"], plain, rtol=1e-4, atol=1e-5)
    kernel, bias = (weight.numpy() for weight in model.get_layer("softmax").weights)
    np.testing.assert_allclose(outputs["logits"], plain.numpy().mean(axis=(1, 2)) @ kernel.T + bias, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("mechanism", "factor"), [("residual", 1.5), ("product", 0.5)])
def test_a_map_of_one_half(weights, mechanism, factor):
    model = build_attention_branch_network("resnet18", 5, weights=weights, alpha=0.25, mechanism=mechanism)
    set_map(model, 0.5)
    features = model.get_layer("resnet18")(preprocess(IMAGES, "standard"))
    expected = model.get_layer("perception")(factor * features)
    np.testing.assert_allclose(model(IMAGES)["feature_map"], expected, rtol=1e-4, atol=1e-5)


def test_trunk_starts_as_the_last_stage_and_is_its_own(model):
    trunk, stage = model.get_layer("attention_branch").trunk, model.get_layer("perception")
    assert trunk.compute_output_shape([1, 14, 14, 64]) == (1, 14, 14, 128)
    assert stage.compute_output_shape([1, 14, 14, 64]) == (1, 7, 7, 128)
    for copy, original in zip(trunk.weights, stage.weights, strict=True):
        assert copy is not original
        np.testing.assert_array_equal(copy, original)


def test_both_losses_together_reach_every_weight_and_fall(model):
    optimizer, losses = tf.keras.optimizers.Adam(1e-3), []
    for _ in range(8):
        with tf.GradientTape() as tape:
            outputs = model(IMAGES, training=True)
            loss = tf.reduce_mean(attention_branch_loss(LABELS, outputs["attention_logits"], outputs["logits"]))
        gradients = tape.gradient(loss, model.trainable_weights)
        assert all(gradient is not None for gradient in gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 2


def test_saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    outputs = model(IMAGES)
    for name, values in loaded(IMAGES).items():
        np.testing.assert_allclose(values, outputs[name], rtol=1e-4, atol=1e-5)


def test_embedding_layer_and_another_head():
    model = build_attention_branch_network("resnet18", 5, alpha=0.25, embedding_dim=16, head="arcface", bottleneck=3)
    outputs = model(IMAGES)
    assert (outputs["embedding"].shape, outputs["logits"].shape, outputs["attention_logits"].shape) == (
        (2, 16), (2, 5), (2, 5))
    assert model.get_layer("attention_branch").respond.kernel.shape == (1, 1, 128, 3)


def test_vgg16():
    """The branch stands on the last map, its trunk is two 3x3 convolutions, behind it come the dense layers."""
    model = build_attention_branch_network("vgg16", 27, dense_units=8)
    assert shapes(model(IMAGES)) == {
        "attention/abn": (2, 2, 1, 1), "attention_logits": (2, 27), "feature_map": (2, 2, 1, 512), "embedding": (2, 8),
        "logits": (2, 27)}
    trunk = model.get_layer("attention_branch").trunk
    assert trunk.count_params() == 2 * (3 * 3 * 512 * 512 + 512)
    features = model.get_layer("vgg16")(preprocess(IMAGES, "caffe"))
    set_map(model, 0.5)
    np.testing.assert_allclose(model(IMAGES)["feature_map"], 1.5 * features, rtol=1e-4, atol=1e-5)


def test_other_backbones_have_a_branch_without_trunk_on_c4():
    model = build_attention_branch_network("mobilenet", 5, alpha=0.25)
    assert model.get_layer("attention_branch").trunk is None
    outputs = model(IMAGES)
    assert outputs["attention/abn"].shape == (2, 4, 2, 1)
    assert outputs["feature_map"].shape == (2, 2, 1, 256)


def test_parameters_of_the_branch_on_resnet50():
    """The paper's formula and the 11,264 biases of Keras' ResNet v1, whose convolutions have some."""
    model = build_attention_branch_network("resnet50", 27)
    branch = model.get_layer("attention_branch")
    trained = sum(weight.shape.num_elements() for weight in branch.trainable_weights)
    assert trained == 14_968_834 + 2059 * 27 + 27**2 + 11_264 == 15_036_420
    assert model.count_params() - branch.count_params() == 23_587_712 + (2048 + 1) * 27


def test_too_many_classes_for_a_branch_without_bottleneck():
    with pytest.raises(UserError, match=r"^Expected at most 10,000 classes or a bottleneck for resnet50_abn; received "
                                        r"81,313 classes, at which the branch has 6\.8 billion parameters\. Set .*\.$"):
        build_attention_branch_network("resnet50", 81_313)


def test_no_classes():
    with pytest.raises(UserError, match=r"a number of classes for resnet18_abn, .*; received none"):
        build_attention_branch_network("resnet18")
