"""Neural nearest neighbours against loops, exact neighbours and the numbers of both forms of the recursion."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.attention.chunked_attention import in_chunks
from landmark_zoo.layers.attention.n3 import (
    NeuralNearestNeighbors,
    embedding_of_unit_distance,
    log_one_minus,
    nearest_neighbors,
    neighbor_weights,
)

DISTANCES = np.array([1, 2, 3.5], np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 16)).astype(np.float32)


def weights_by_loops(distances, temperature, k, recursion):
    logits = [-d if recursion == "paper" else -d / temperature for d in distances]
    divisor = temperature if recursion == "paper" else 1
    ranks = []
    for _ in range(k):
        powers = [np.exp((a - max(logits)) / divisor) for a in logits]
        ranks.append([power / sum(powers) for power in powers])
        rest = [(sum(powers) - power) / sum(powers) for power in powers]
        logits = [a + np.log(max(r, 1e-300)) for a, r in zip(logits, rest, strict=True)]
    return np.array(ranks)


def by_loops(layer, features):
    kernel, bias = (w.numpy() for w in layer.exponent.weights)
    attended, seen = [], []
    for image in features.reshape(len(features), -1, features.shape[-1]).astype(np.float64):
        embedded = image @ layer.embed.get_weights()[0][0, 0]
        distances = np.array([[((p - q) ** 2).sum() for q in embedded] for p in embedded])
        distances /= distances.mean()
        seen.append(np.zeros(len(image)))
        for i, pixel in enumerate(image):
            temperature = layer.temperature * np.exp(np.clip(pixel @ kernel[0, 0] + bias, -6, 6)).item()
            others = [j for j in range(len(image)) if j != i]
            weights = weights_by_loops(distances[i, others], temperature, layer.k, layer.recursion)
            parts = [pixel] + [sum(w * image[j] for w, j in zip(rank, others, strict=True)) - pixel for rank in weights]
            attended.append(pixel + np.concatenate(parts) @ layer.mix.get_weights()[0][0, 0])
            seen[-1][others] += weights.mean(axis=0)
    return np.reshape(attended, features.shape), np.reshape(seen, (*features.shape[:3], 1))


@pytest.mark.parametrize("recursion", ["paper", "code"])
@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_equals_loops(recursion, temperature, features):
    random = np.random.default_rng(1)
    layer = NeuralNearestNeighbors(3, temperature, recursion=recursion, return_maps=True)
    layer.build(features.shape)
    layer.set_weights([0.2 * random.standard_normal(w.shape) for w in layer.weights])
    attended, maps = layer(features)
    expected, seen = by_loops(layer, features)
    np.testing.assert_allclose(attended, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps["n3"], seen, rtol=1e-4, atol=1e-4)


def test_contract_of_the_codes_recursion(check_layer, tmp_path):
    features = np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)
    check_layer(functools.partial(NeuralNearestNeighbors, k=2, recursion="code"), features, tmp_path)


@pytest.mark.parametrize("recursion", ["paper", "code"])
def test_temperature_one_by_hand(recursion):
    np.testing.assert_allclose(neighbor_weights(DISTANCES, 1.0, 3, recursion),
                               [[.6897, .2537, .0566], [.4686, .4145, .1169], [.4185, .4079, .1735]], atol=6e-5)
    np.testing.assert_allclose(neighbor_weights(-np.log([2, 1, 1]).astype(np.float32), 1.0, 3, recursion),
                               [[.5, .25, .25], [.4, .3, .3], [.363636, .318182, .318182]], atol=1e-6)


def test_low_temperature_tells_the_two_forms_apart():
    np.testing.assert_allclose(neighbor_weights(DISTANCES, 0.1, 3, "paper"), np.eye(3), atol=1e-4)
    np.testing.assert_allclose(neighbor_weights(DISTANCES, 0.1, 3, "code"), [[1, 0, 0], [.5, .5, 0], [.5, .5, 0]],
                               atol=1e-4)


@pytest.mark.parametrize("recursion", ["paper", "code"])
def test_equal_distances_share_equally(recursion):
    weights = neighbor_weights(np.full(5, 3, np.float32), 0.1, 4, recursion)
    np.testing.assert_allclose(weights, np.full((4, 5), 0.2), rtol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(6)), st.sampled_from([0.1, 1, 1000]), st.sampled_from([1e-3, 1e-2]))
def test_cold_is_exact_selection(order, gap, temperature):
    """Gaps of 10^6 temperatures, too: 1 - w is not lost where w rounds to 1."""
    distances = gap * np.array(order, np.float32)
    chosen = np.argmax(neighbor_weights(distances, temperature, 6), axis=1)
    np.testing.assert_array_equal(chosen, np.argsort(order))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1e4, width=32), min_size=1, max_size=8), st.floats(1e-3, 40),
       st.sampled_from(["paper", "code"]))
def test_weights_sum_to_one_and_gradients_are_finite(distances, temperature, recursion):
    distances = tf.constant(distances)
    with tf.GradientTape() as tape:
        tape.watch(distances)
        weights = neighbor_weights(distances, temperature, 5, recursion)
        first = weights[0][0] + weights[-1][0]
    np.testing.assert_allclose(tf.reduce_sum(weights, axis=1), np.ones(5), rtol=1e-4)
    assert np.isfinite(tape.gradient(first, distances)).all()


def test_log_one_minus():
    weights = np.array([0.7, 0.2, 0.1], np.float32)
    np.testing.assert_allclose(log_one_minus(np.log(weights)), np.log(1 - weights), rtol=1e-5)
    np.testing.assert_allclose(log_one_minus(np.array([0, -50, -51], np.float32)), [-50 + np.log1p(np.exp(-1)), 0, 0],
                               rtol=1e-6, atol=1e-20)
    assert log_one_minus(np.zeros(1, np.float32)).numpy() == -1e8


def test_a_location_is_not_its_own_neighbor():
    """Without the exclusion each would find itself, at distance 0."""
    features = np.array([[[0], [1], [3]]], np.float32)
    cold = np.full([1, 3, 1], -7, np.float32)
    found, received = nearest_neighbors(tf.constant(features), features, cold, 2, "paper")
    np.testing.assert_allclose(found[0], [[1, 3], [0, 3], [1, 0]], atol=1e-5)
    np.testing.assert_allclose(received[0], [1, 1, 1], atol=1e-5)


def test_fewer_candidates_than_neighbors_and_a_single_location():
    layer = NeuralNearestNeighbors(k=4, return_maps=True)
    for size in ((1, 1), (1, 2)):
        features = np.random.default_rng(0).standard_normal((1, *size, 8)).astype(np.float32)
        attended, maps = layer(features)
        np.testing.assert_array_equal(attended, features)
        np.testing.assert_allclose(maps["n3"], np.ones((1, *size, 1)), rtol=1e-5)


def values_and_gradients(embedding, log_temperature):
    with tf.GradientTape() as tape:
        tape.watch([embedding, log_temperature])
        found, received = nearest_neighbors(embedding, embedding, log_temperature, 3, "paper")
        loss = tf.reduce_sum(found**2) + tf.reduce_sum(received**2)
    return found, received, *tape.gradient(loss, [embedding, log_temperature])


def test_chunks_change_nothing(monkeypatch, features):
    embedding, log_temperature = tf.reshape(features, [2, 35, 16]), tf.fill([2, 35, 1], -2.0)
    whole = values_and_gradients(embedding, log_temperature)
    nine_rows = functools.partial(in_chunks, most_logits=4 * 3 * 35 * 8)
    monkeypatch.setattr("landmark_zoo.layers.attention.n3.in_chunks", nine_rows)
    for chunked, expected in zip(values_and_gradients(embedding, log_temperature), whole, strict=True):
        np.testing.assert_allclose(chunked, expected, rtol=1e-3, atol=1e-4)


def test_distances_do_not_depend_on_the_scale_or_origin_of_the_features(features):
    embedding = features.reshape(2, 35, 16)
    scaled = embedding_of_unit_distance(1000 * embedding + 500).numpy()
    np.testing.assert_allclose(scaled, embedding_of_unit_distance(embedding), atol=1e-3)
    pairs = ((scaled[:, :, None] - scaled[:, None]) ** 2).sum(axis=3)
    np.testing.assert_allclose(pairs.mean(axis=(1, 2)), 1, rtol=1e-4)
    assert np.isfinite(embedding_of_unit_distance(np.full((1, 5, 3), 7, np.float32))).all()


@pytest.mark.parametrize("training", [False, True])
def test_starts_as_identity(training, features):
    np.testing.assert_array_equal(NeuralNearestNeighbors()(features, training=training), features)


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 34_080_769), (512, 2_130_433)])
def test_parameters(channels, parameters):
    """C^2/8 of the embedding, C + 1 of the temperature, 8 C^2 of the mixing convolution."""
    layer = NeuralNearestNeighbors()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


@pytest.mark.parametrize("arguments", [{"k": 0}, {"temperature": 0}, {"reduction": 0}, {"recursion": "both"}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"expected k >= 1, temperature > 0, .* one of paper, code; received k="):
        NeuralNearestNeighbors(**arguments)


def test_too_few_channels():
    with pytest.raises(ValueError, match="channels >= 8"):
        NeuralNearestNeighbors().build([None, 7, 5, 4])
