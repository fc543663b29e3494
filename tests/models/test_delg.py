import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import preprocess
from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.cross_entropy import delg_loss, softmax_cross_entropy
from landmark_zoo.models.delg import build_delf, build_delg
from landmark_zoo.serving.network import Network

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


@pytest.mark.parametrize("build", [build_delf, build_delg])
def test_the_local_map_at_twice_the_stride(build):
    """Every second location from the first on, in an image of any size; C5 and the embedding of DELG stay."""
    fine, coarse = (build("resnet18", alpha=0.25, embedding_dim=None, local_stride=stride) for stride in (16, 32))
    coarse.set_weights(fine.get_weights())
    fine, coarse = fine(IMAGES), coarse(IMAGES)
    assert fine["local_features"].shape[1:3] == (5, 3)
    assert coarse["local_features"].shape[1:3] == (3, 2)
    for name in ("local_features", "attention/score"):
        np.testing.assert_allclose(coarse[name], fine[name][:, ::2, ::2], rtol=1e-5, atol=1e-6)
    if build is build_delg:
        np.testing.assert_allclose(coarse["embedding"], fine["embedding"], rtol=1e-5, atol=1e-6)
    with pytest.raises(UserError, match="--local_stride=16 or --local_stride=32 for resnet18; received 8"):
        build("resnet18", alpha=0.25, local_stride=8)


def test_an_export_states_where_the_local_features_lie():
    for stride, offset in ((16, 8.0), (32, 8.0)):
        facts = Network(build_delf("resnet18", alpha=0.25, local_stride=stride), 64).facts
        assert (facts["local_stride"], facts["local_offset"], facts["local_unit"]) == (stride, offset, True)


def test_the_form_of_the_score_reaches_the_branch():
    assert build_delg("resnet18", alpha=0.25, score_form="2021").get_layer("local_branch").attention.score_form == "2021"


def test_other_sizes(model):
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 5)


def test_saved_model_round_trip(model, outputs, tmp_path):
    module = tf.Module()
    module.weights = model.variables
    module.call = tf.function(lambda images: model(images, training=False),
                              input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
    tf.saved_model.save(module, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    found = loaded.call(tf.constant(IMAGES))
    assert set(found) == set(outputs)
    for name, values in outputs.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_parameters_of_the_paper():
    """2048 x 2048 + 2048 in the dense layer of ResNet-50; here ResNet-18, whose last map has 512 channels."""
    model = build_delg("resnet18", 7)
    assert model.get_layer("whitening").count_params() == 512 * 2048 + 2048
    assert model.get_layer("arcface").count_params() == 2048 * 7
    assert model.get_layer("attention_classifier").count_params() == 256 * 7 + 7


@pytest.mark.slow
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


@pytest.fixture(scope="module")
def built_delf():
    tf.keras.utils.set_random_seed(0)
    return build_delf("resnet18", 5, alpha=0.25)


@pytest.fixture
def delf(built_delf):
    initial = built_delf.get_weights()
    yield built_delf
    built_delf.set_weights(initial)


@pytest.fixture(scope="module")
def delf_outputs(built_delf):
    return {name: value.numpy() for name, value in built_delf(IMAGES).items()}


def test_delf_outputs(delf_outputs):
    assert {name: value.shape for name, value in delf_outputs.items()} == {
        "embedding": (2, 64), "feature_map": (2, 5, 3, 64), "attention/score": (2, 5, 3, 1),
        "local_features": (2, 5, 3, 64), "logits": (2, 5)}
    for name in ("embedding", "local_features"):
        np.testing.assert_allclose(np.linalg.norm(delf_outputs[name], axis=-1), 1, rtol=1e-5)
    assert (delf_outputs["attention/score"] >= 0).all()


def test_local_features_are_those_of_c4(delf, delf_outputs):
    features = delf.get_layer("resnet18")(preprocess(IMAGES, "standard"))["C4"].numpy()
    np.testing.assert_allclose(delf_outputs["local_features"], features / np.linalg.norm(features, axis=-1, keepdims=True),
                               rtol=1e-4, atol=1e-6)


def test_the_head_sees_the_mean_of_score_times_direction(delf, delf_outputs):
    """The mean, not divided by the scores, and not normalised before the head."""
    mean = np.mean(delf_outputs["attention/score"] * delf_outputs["local_features"], axis=(1, 2))
    kernel, bias = (weight.numpy() for weight in delf.get_layer("softmax").weights)
    np.testing.assert_allclose(delf_outputs["logits"], mean @ kernel.T + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(delf_outputs["embedding"], mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-5)


def test_every_weight_of_delf_learns(delf):
    with tf.GradientTape() as tape:
        logits = delf(IMAGES, training=True)["logits"]
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits([1, 4], logits))
    for weight, gradient in zip(delf.trainable_weights, tape.gradient(loss, delf.trainable_weights), strict=True):
        assert gradient is not None, weight.name
        assert np.isfinite(gradient).all(), weight.name


def test_delf_takes_other_sizes(delf):
    for size in ((32, 32), (33, 150)):
        assert delf(np.zeros((1, *size, 3), np.uint8))["logits"].shape == (1, 5)


@pytest.mark.slow
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
