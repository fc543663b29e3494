import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone, preprocess
from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.cross_entropy import attention_branch_loss, softmax_cross_entropy
from landmark_zoo.models.attention_branch_network import (
    build_attention_branch_network,
    build_faulty_abn,
    build_frozen_classifier,
)

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_parameters_of_the_branch_on_resnet50():
    """The paper's formula and the 11,264 biases of Keras' ResNet v1, whose convolutions have some."""
    model = build_attention_branch_network("resnet50", 27)
    branch = model.get_layer("attention_branch")
    trained = sum(weight.shape.num_elements() for weight in branch.trainable_weights)
    assert trained == 14_968_834 + 2059 * 27 + 27**2 + 11_264 == 15_036_420
    assert model.count_params() - branch.count_params() == 23_587_712 + (2048 + 1) * 27


@pytest.mark.slow
def test_too_many_classes_for_a_branch_without_bottleneck():
    with pytest.raises(UserError, match=r"^Expected at most 10,000 classes or a bottleneck for resnet50_abn; received "
                                        r"81,313 classes, at which the branch has 6\.8 billion parameters\. Set .*\.$"):
        build_attention_branch_network("resnet50", 81_313)


def test_no_classes():
    with pytest.raises(UserError, match=r"a number of classes for resnet18_abn, .*; received none"):
        build_attention_branch_network("resnet18")


@pytest.fixture(scope="module")
def model_faulty_abn():
    return build_faulty_abn(dense_units=8)


def test_logits_are_weighted_probabilities(model_faulty_abn):
    outputs = model_faulty_abn(IMAGES)
    np.testing.assert_allclose(np.sum(outputs["logits"], axis=1), 1.25, rtol=1e-5)
    none = build_faulty_abn("vgg16", 5, attention_weight=0.0, dense_units=8)
    np.testing.assert_allclose(np.sum(none(IMAGES)["logits"], axis=1), 1, rtol=1e-5)


def test_the_best_it_can_say_is_far_from_certain():
    """As logged by the study, whose loss was divided by its batch of 32: .0667 at best, .10299 for no idea at all."""
    best = np.zeros((1, 27), np.float32)
    best[0, 3] = 1.25
    np.testing.assert_allclose(softmax_cross_entropy(np.array([3]), best) / 32, 0.0667, atol=5e-5)
    np.testing.assert_allclose(math.log(27) / 32, 0.10299, atol=5e-6)


def test_map_multiplies_without_residual(model_faulty_abn):
    outputs = model_faulty_abn(IMAGES)
    assert outputs["attention/abn"].shape == (2, 7, 7, 1)
    convolution = model_faulty_abn.get_layer("map")
    kernel, bias = convolution.get_weights()
    convolution.set_weights([np.zeros_like(kernel), np.full_like(bias, -100.0)])
    try:
        np.testing.assert_allclose(model_faulty_abn(IMAGES)["feature_map"], 0, atol=1e-6)
    finally:
        convolution.set_weights([kernel, bias])


def test_parameters_are_those_of_the_study(model_faulty_abn):
    """139,150,636 there, with 8,448 in the BatchNorm of the convolutions and layers of 4096."""
    def dense(width):
        return (7 * 7 * 512 + 1) * width + (width + 1) * width + (width + 1) * 27

    trained = sum(weight.shape.num_elements() for weight in model_faulty_abn.trainable_weights)
    assert trained - dense(8) + dense(4096) == 139_150_636 - 8_448


@pytest.mark.parametrize("arguments", [{"embedding_dim": 16}, {"head": "arcface"}, {"num_classes": None}])
def test_what_would_change_it_is_refused(arguments):
    with pytest.raises(UserError, match=r"the head softmax for vgg16_abn_faulty"):
        build_faulty_abn(**arguments)


@pytest.fixture(scope="module")
def model_frozen_classifier():
    return build_frozen_classifier(dense_units=8)


def test_frozen_classifier_outputs(model_frozen_classifier):
    outputs = model_frozen_classifier(IMAGES)
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "feature_map": (2, 2, 1, 512), "embedding": (2, 8), "logits": (2, 27)}
    lengths = np.linalg.norm(outputs["embedding"], axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)


def test_frozen_classifier_other_sizes(model_frozen_classifier):
    for size in ((32, 32), (33, 150)):
        assert model_frozen_classifier(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 27)


def test_only_the_dense_layers_learn(model_frozen_classifier):
    trained = sum(weight.shape.num_elements() for weight in model_frozen_classifier.trainable_weights)
    assert trained == (7 * 7 * 512 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 27
    assert model_frozen_classifier.count_params() - trained == 14_714_688


def test_frozen_classifier_embedding_layer_and_another_head():
    model_frozen_classifier = build_frozen_classifier("vgg16", 5, dense_units=8, embedding_dim=4, head="arcface")
    outputs = model_frozen_classifier(IMAGES)
    assert (outputs["embedding"].shape, outputs["logits"].shape) == ((2, 4), (2, 5))


def test_weights_that_are_not_there():
    with pytest.raises(UserError, match="a weight file for vgg16"):
        build_frozen_classifier(weights="nowhere.h5")


@pytest.mark.slow
def test_another_backbone():
    model_frozen_classifier = build_frozen_classifier("mobilenet", 5, alpha=0.25, dense_units=8)
    assert model_frozen_classifier.name == "mobilenet_classifier"
    assert {weight.name.split("/")[0] for weight in model_frozen_classifier.trainable_weights} == {"fc1", "fc2", "softmax"}
    assert model_frozen_classifier(IMAGES)["logits"].shape == (2, 5)
