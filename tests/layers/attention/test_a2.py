"""Double attention against loops, the numbers of its formula and the slips of public ports."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.a2 import DoubleAttention, double_attention

TWO = np.array([[[1, 0], [0, 2]]], np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 12)).astype(np.float32)


@pytest.fixture
def layer(features):
    random = np.random.default_rng(1)
    layer = DoubleAttention(return_maps=True)
    layer.build(features.shape)
    layer.set_weights([random.standard_normal(w.shape) for w in layer.weights])
    return layer


def by_loops(layer, features):
    """Equations 1-6 as printed: one column per location."""
    def convolved(name, image):
        kernel, bias = (w.numpy() for w in getattr(layer, name).weights)
        return np.array([pixel @ kernel[0, 0] + bias for pixel in image]).T

    attended, seen = [], []
    for image in features.reshape(2, 35, 12):
        a, b, v = (convolved(name, image) for name in ("features", "gather", "distribute"))
        gathering = np.array([np.exp(row) / np.exp(row).sum() for row in b])
        distributing = np.array([np.exp(column) / np.exp(column).sum() for column in v.T]).T
        pairs = distributing.T @ gathering
        attended.append(image + convolved("out", (a @ pairs.T).T).T)
        seen.append([35 * pairs[:, j].mean() for j in range(35)])
    return np.reshape(attended, features.shape), np.reshape(seen, (2, 7, 5, 1))


def test_equals_loops(layer, features):
    """The loops associate the other way round: the N x N form of non-local attention with the same result."""
    attended, maps = layer(features)
    expected, seen = by_loops(layer, features)
    np.testing.assert_allclose(attended, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps["a2"], seen, rtol=1e-4, atol=1e-6)


def test_two_pixels_by_hand():
    """G = [[.731059, .119203], [.537883, 1.761594]]; other softmax axes give other numbers."""
    attended, received = double_attention(TWO, TWO, TWO)
    np.testing.assert_allclose(attended[0], [[.566505, .866990], [.192138, 1.615724]], atol=1e-6)
    np.testing.assert_allclose(np.sum(received), 1, rtol=1e-6)


def test_without_b_and_v_every_location_gets_the_mean(layer, features):
    for sub_layer in (layer.gather, layer.distribute):
        sub_layer.set_weights([np.zeros_like(w) for w in sub_layer.get_weights()])
    attended, maps = layer(features)
    (kernel, bias), (out, out_bias) = layer.features.get_weights(), layer.out.get_weights()
    mean = features.mean(axis=(1, 2), keepdims=True) @ kernel[0, 0] + bias
    np.testing.assert_allclose(attended, features + mean @ out[0, 0] + out_bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps["a2"], np.ones((2, 7, 5, 1)), rtol=1e-5)


def test_starts_as_identity(features):
    np.testing.assert_array_equal(DoubleAttention()(features), features)


def test_map_has_mean_one(layer, features):
    np.testing.assert_allclose(np.mean(layer(features)[1]["a2"], axis=(1, 2)), 1, rtol=1e-5)


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 4_197_888), (512, 263_040)])
def test_parameters(channels, parameters):
    layer = DoubleAttention()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_half_precision_softmax_over_many_locations():
    """In float16 each of 40 000 weights is 2.5e-5, and their sum would be off by more than a percent."""
    ones, zeros = (make([1, 40_000, 2], tf.float16) for make in (tf.ones, tf.zeros))
    attended, _ = double_attention(ones, zeros, zeros)
    assert attended.dtype == tf.float16
    np.testing.assert_allclose(attended, 1, atol=1e-3)


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected reduction >= 1; received 0"):
        DoubleAttention(0)
    with pytest.raises(ValueError, match="channels >= 4"):
        DoubleAttention().build([None, 7, 5, 3])
