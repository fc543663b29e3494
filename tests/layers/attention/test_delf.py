import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.delf import DELF, DELG, SCORE_FORMS, DELGLocalBranch


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def randomise(layer, shape):
    random = np.random.default_rng(1)
    layer.build(shape)
    layer.set_weights([np.abs(random.standard_normal(w.shape)) + 0.5 if "variance" in w.name
                       else random.standard_normal(w.shape) for w in layer.weights])
    return layer


def score_by_loops(layer, x):
    """The score of one location."""
    (w1, b1), (w2, b2) = layer.attn_conv1.get_weights(), layer.attn_conv2.get_weights()
    gamma, beta, mean, variance = layer.bn_conv1.get_weights()
    hidden = gamma * (x @ w1[0, 0] + b1 - mean) / np.sqrt(variance + 1e-3) + beta
    return np.log1p(np.exp(np.maximum(hidden, 0) @ w2[0, 0] + b2))


def test_delf_equals_loops(features):
    layer = randomise(DELF(hidden=6), features.shape)
    expected = np.empty_like(features)
    for place in np.ndindex(features.shape[:3]):
        x = features[place].astype(np.float64)
        expected[place] = score_by_loops(layer, x) * x / np.linalg.norm(x)
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", SCORE_FORMS)
def test_delg_equals_loops(features, form):
    layer = randomise(DELG(hidden=6, autoencoder_dim=4, score_form=form), features.shape)
    (wr, br), (we, be) = layer.reduce.get_weights(), layer.expand.get_weights()
    expected, errors = np.empty_like(features), np.zeros(2)
    for place in np.ndindex(features.shape[:3]):
        x = features[place].astype(np.float64)
        rebuilt = np.maximum((x @ wr[0, 0] + br) @ we[0, 0] + be, 0)
        score = score_by_loops(layer, x if form == "paper" else rebuilt)
        weighed = x if form == "2021" else rebuilt
        expected[place] = score * weighed / max(np.linalg.norm(weighed), 1e-12)
        errors[place[0]] += ((x - rebuilt) ** 2).sum()
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layer.reconstruction_error(features), errors / (7 * 5 * 32), rtol=1e-5)


def test_zero_kernels_give_the_mean_direction_times_log_2():
    layer = DELF(return_maps=True)
    layer.build([1, 1, 2, 2])
    for weight in layer.trainable_weights:
        weight.assign(tf.zeros_like(weight))
    attended, maps = layer(np.array([[[[3, 4], [0, 2]]]], np.float32))
    np.testing.assert_allclose(maps["score"], np.full((1, 1, 2, 1), 0.693147), atol=1e-6)
    np.testing.assert_allclose(np.mean(attended, axis=(1, 2)), [[0.207944, 0.623832]], atol=1e-6)


def test_length_of_a_feature_does_not_count(features):
    layer = DELF(hidden=6)
    layer.build(features.shape)
    layer.attn_conv1.kernel.assign(tf.zeros_like(layer.attn_conv1.kernel))
    np.testing.assert_allclose(layer(10 * features), layer(features), rtol=1e-5, atol=1e-6)


def test_scores_are_not_normalized_over_locations(features):
    layer = randomise(DELF(hidden=6, return_maps=True), features.shape)
    twice = np.concatenate([features, features], axis=1)
    np.testing.assert_allclose(layer(twice)[1]["score"][:, :7], layer(features)[1]["score"], rtol=1e-5)


def test_kernels_of_the_score_are_penalised(features):
    layer = DELG(hidden=6, autoencoder_dim=4)
    layer(features)
    kernels = [layer.attn_conv1.kernel, layer.attn_conv2.kernel]
    np.testing.assert_allclose(sum(layer.losses), sum(1e-4 * np.sum(k.numpy() ** 2) for k in kernels), rtol=1e-5)


@pytest.mark.parametrize("form", SCORE_FORMS)
@pytest.mark.parametrize("stop_gradient", [False, True])
def test_backbone_learns_unless_stopped(features, stop_gradient, form):
    layer = DELG(hidden=6, autoencoder_dim=4, stop_gradient=stop_gradient, score_form=form)
    x = tf.constant(features)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        attended = tf.reduce_sum(layer(x) * features)
        error = tf.reduce_mean(layer.reconstruction_error(x))
    for loss in (attended, error):
        assert (tape.gradient(loss, x) is None) == stop_gradient
    assert all(tape.gradient(attended, w) is not None for w in layer.trainable_weights)
    assert all(tape.gradient(error, w) is not None for w in layer.expand.weights + layer.reduce.weights)


def test_a_configuration_without_a_form_is_the_papers():
    for layer in (DELG(score_form="2021"), DELGLocalBranch(score_form="2021")):
        config = layer.get_config()
        assert config.pop("score_form") == "2021"
        again = type(layer).from_config(config)
        assert getattr(again, "attention", again).score_form == "paper"


def test_a_perfect_reconstruction_has_no_error(features):
    layer = DELG(autoencoder_dim=32)
    layer.build(features.shape)
    for convolution in (layer.reduce, layer.expand):
        convolution.set_weights([np.eye(32)[None, None], np.zeros(32)])
    np.testing.assert_allclose(layer.reconstruct(features), features, rtol=1e-6)
    np.testing.assert_allclose(layer.reconstruction_error(features), [0, 0], atol=1e-10)


@pytest.mark.parametrize(("layer", "channels", "parameters"), [
    (DELF(), 2048, 1_050_625), (DELF(), 1024, 526_337), (DELF(), 512, 264_193), (DELG(), 1024, 526_337 + 263_296)])
def test_parameters(layer, channels, parameters):
    layer.build([None, None, None, channels])
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == parameters


@pytest.mark.parametrize(("create", "expected"), [
    (lambda: DELF(hidden=0), "DELF: expected hidden >= 1; received 0"),
    (lambda: DELG(autoencoder_dim=0), "DELG: expected autoencoder_dim >= 1; received 0"),
    (lambda: DELG(score_form="2019"), "DELG: expected score_form paper, 2020, 2021; received '2019'")])
def test_arguments_are_checked(create, expected):
    with pytest.raises(ValueError, match=expected):
        create()


FEATURES = np.maximum(np.random.default_rng(0).standard_normal((2, 4, 3, 6)), 0).astype(np.float32)


@pytest.fixture
def branch():
    branch = DELGLocalBranch(hidden=5, autoencoder_dim=2)
    branch(FEATURES)
    return branch


def by_numpy(branch, features):
    reduce, expand, conv1, norm, conv2 = (
        layer.get_weights() for layer in (branch.attention.reduce, branch.attention.expand, branch.attention.attn_conv1,
                                          branch.attention.bn_conv1, branch.attention.attn_conv2))
    z = features @ reduce[0][0, 0] + reduce[1]
    reconstructed = np.maximum(z @ expand[0][0, 0] + expand[1], 0)
    gamma, beta, mean, variance = norm
    hidden = (features @ conv1[0][0, 0] + conv1[1] - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    score = np.log1p(np.exp(np.maximum(hidden, 0) @ conv2[0][0, 0] + conv2[1]))
    lengths = np.linalg.norm(reconstructed, axis=-1, keepdims=True)
    directions = np.divide(reconstructed, lengths, out=np.zeros_like(reconstructed), where=lengths > 0)
    return z, score, np.mean(score * directions, axis=(1, 2)), np.mean((features - reconstructed) ** 2, axis=(1, 2, 3))


def test_equals_numpy(branch):
    for weight in branch.trainable_weights:
        weight.assign_add(tf.random.normal(weight.shape, stddev=0.3))
    for output, expected in zip(branch(FEATURES), by_numpy(branch, FEATURES), strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_parameters_on_resnet50():
    """Attention 526,337 and autoencoder 263,296, beside the 1,024 statistics of the BatchNorm."""
    branch = DELGLocalBranch()
    branch.build([None, None, None, 1024])
    assert sum(weight.shape.num_elements() for weight in branch.trainable_weights) == 526_337 + 263_296
    assert branch.count_params() == 526_337 + 263_296 + 1024


def test_everything_in_it_learns_and_nothing_before_it(branch):
    features = tf.constant(FEATURES)
    with tf.GradientTape() as tape:
        tape.watch(features)
        _, _, vectors, errors = branch(features, training=True)
        loss = tf.reduce_sum(vectors) + tf.reduce_sum(errors)
    before, *gradients = tape.gradient(loss, [features, *branch.trainable_weights])
    assert before is None or not np.any(before)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_shapes_and_config(branch):
    for output, shape in zip(branch(FEATURES), branch.compute_output_shape(FEATURES.shape), strict=True):
        assert output.shape == shape
    twin = DELGLocalBranch.from_config(branch.get_config())
    twin.build(FEATURES.shape)
    twin.set_weights(branch.get_weights())
    for output, expected in zip(twin(FEATURES), branch(FEATURES), strict=True):
        np.testing.assert_array_equal(output, expected)


def test_half_precision_keeps_the_trained_outputs_in_float32():
    branch = DELGLocalBranch(hidden=5, autoencoder_dim=2, dtype="mixed_float16")
    _, _, vectors, errors = branch(FEATURES)
    assert vectors.dtype == errors.dtype == tf.float32


def test_no_channels():
    with pytest.raises(ValueError, match="expected autoencoder_dim >= 1; received 0"):
        DELGLocalBranch(autoencoder_dim=0)
