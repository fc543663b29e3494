"""DELG's local branch against NumPy, its size, and what it lets learn."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.delg_local_branch import DELGLocalBranch

FEATURES = np.maximum(np.random.default_rng(0).standard_normal((2, 4, 3, 6)), 0).astype(np.float32)


@pytest.fixture
def branch():
    tf.keras.utils.set_random_seed(0)
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
