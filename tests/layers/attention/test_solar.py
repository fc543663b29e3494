"""Second-order attention against loops and against what SOLAR's authors do."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.solar import SecondOrderAttention


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 12)).astype(np.float32)


@pytest.fixture
def layer(features):
    random = np.random.default_rng(1)
    layer = SecondOrderAttention(return_maps=True)
    layer.build(features.shape)
    layer.set_weights([random.uniform(0.5, 1.5, w.shape) if "variance" in w.name else random.standard_normal(w.shape)
                       for w in layer.weights])
    return layer


def convolved(layer, vector):
    kernel, bias = (w.numpy() for w in layer.weights)
    return vector @ kernel[0, 0] + bias


def rectified(layer, vector):
    gamma, beta, mean, variance = (w.numpy() for w in layer.weights)
    return np.maximum(0, gamma * (vector - mean) / np.sqrt(variance + 1e-5) + beta)


def by_loops(layer, features):
    attended, seen = [], []
    for image in features.reshape(2, 35, 12):
        queries = [rectified(layer.f_normalise, convolved(layer.f, pixel)) for pixel in image]
        keys = [rectified(layer.g_normalise, convolved(layer.g, pixel)) for pixel in image]
        values = [convolved(layer.h, pixel) for pixel in image]
        seen.append(np.zeros(35))
        for pixel, query in zip(image, queries, strict=True):
            similarities = [np.exp(query @ key / np.sqrt(6)) for key in keys]
            gathered = np.zeros(6)
            for j, similarity in enumerate(similarities):
                gathered += similarity / sum(similarities) * values[j]
                seen[-1][j] += similarity / sum(similarities)
            attended.append(pixel + convolved(layer.v, gathered))
    return np.reshape(attended, features.shape), np.reshape(seen, (2, 7, 5, 1))


def test_equals_loops(layer, features):
    attended, maps = layer(features)
    expected, seen = by_loops(layer, features)
    np.testing.assert_allclose(attended, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps["solar"], seen, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_starts_as_identity(training, features):
    np.testing.assert_array_equal(SecondOrderAttention()(features, training=training), features)


def test_without_f_and_g_every_location_gets_the_mean(layer, features):
    for sub_layer in (layer.f, layer.g, layer.f_normalise, layer.g_normalise):
        sub_layer.set_weights([np.zeros_like(w) for w in sub_layer.get_weights()])
    attended, maps = layer(features)
    mean = convolved(layer.h, features.mean(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(attended, features + convolved(layer.v, mean), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps["solar"], np.ones((2, 7, 5, 1)), rtol=1e-5)


def test_map_has_mean_one(layer, features):
    np.testing.assert_allclose(np.mean(layer(features)[1]["solar"], axis=(1, 2)), 1, rtol=1e-5)


@pytest.mark.parametrize(("channels", "reduction", "parameters"), [
    (2048, 2, 8_397_824), (512, 2, 526_592), (1024, 4, 1_051_392), (2048, 4, 4_199_936), (512, 4, 263_552)])
def test_parameters(channels, reduction, parameters):
    layer = SecondOrderAttention(reduction)
    layer.build([None, None, None, channels])
    assert sum(int(tf.size(weight)) for weight in layer.trainable_weights) == parameters


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected reduction >= 1; received 0"):
        SecondOrderAttention(0)
    with pytest.raises(ValueError, match="channels >= 2"):
        SecondOrderAttention().build([None, 7, 5, 1])
