
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.pooling.global_pooling import (
    MAC,
    AdaptiveAveragePooling,
    GeM,
    SPoC,
    adaptive_average_pooling,
    cell_weights,
    center_weights,
    gem,
)


def test_float32_under_half_precision():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        vector = MAC()(np.ones((1, 2, 2, 3), np.float16))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert vector.dtype == tf.float32


def test_error_names_the_layer_and_the_shape():
    with pytest.raises(ValueError, match=r"MAC: expected \[batch, height, width, .*received shape \(4, 3\)"):
        MAC().build([4, 3])


FOUR = np.array([1, 2, 3, 4], np.float32).reshape(1, 2, 2, 1)


@pytest.mark.parametrize(("p", "expected"), [(1, 2.5), (2, 2.738613), (3, 2.924018), (6, 3.269953), (10, 3.501656),
                                             (100, 3.944931)])
def test_worked_out_by_hand(p, expected):
    np.testing.assert_allclose(gem(FOUR, p), [[expected]], rtol=1e-6)


def test_equals_loops():
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 3)).astype(np.float32)
    p = np.array([1.5, 3, 4.2], np.float32)
    expected = [[np.mean([max(x, 1e-6) ** p[c] for x in image[..., c].ravel()]) ** (1 / p[c]) for c in range(3)]
                for image in features.astype(np.float64)]
    np.testing.assert_allclose(gem(features, p), expected, rtol=1e-5)


@pytest.mark.parametrize("arguments", [{"trainable_p": True}, {"trainable_p": True, "per_channel": True, "p": 2.5}])
def test_contract(check_layer, arguments, tmp_path):
    features = np.abs(np.random.default_rng(0).standard_normal((2, 7, 5, 8))).astype(np.float32)
    check_layer(lambda **keras: GeM(**arguments, **keras), features, tmp_path)


def test_zeros_give_eps_and_finite_gradients():
    zeros = tf.zeros([1, 3, 3, 2])
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        pooled = gem(zeros, 3.0)
    np.testing.assert_allclose(pooled, 1e-6, rtol=1e-5)
    assert np.isfinite(tape.gradient(pooled, zeros)).all()


def test_neither_large_activations_nor_a_large_power_overflow():
    np.testing.assert_allclose(gem(1e15 * FOUR, 50.0), 1e15 * gem(FOUR, 50.0), rtol=1e-5)


def test_gradient_equals_the_formulas():
    features, p = tf.constant(FOUR), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch([features, p])
        pooled = gem(features, p)
    by_features, by_p = tape.gradient(pooled, [features, p])
    value = float(pooled[0, 0])
    np.testing.assert_allclose(by_features, FOUR**2 / 4 / value**2, rtol=1e-5)
    step = 1e-3
    slope = float(gem(FOUR.astype(np.float64), 3 + step)[0, 0] - gem(FOUR.astype(np.float64), 3 - step)[0, 0]) / (2 * step)
    np.testing.assert_allclose(by_p, slope, rtol=1e-3)


def test_float16_map_is_pooled_in_float32():
    assert GeM()(200 * FOUR.astype(np.float16)).dtype == tf.float32
    np.testing.assert_allclose(gem(200 * FOUR.astype(np.float16), 3.0), [[584.8035]], rtol=1e-4)


def test_power_must_be_positive():
    with pytest.raises(ValueError, match="expected p > 0; received 0"):
        GeM(p=0)


X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


def test_mac_worked_out_by_hand():
    np.testing.assert_allclose(MAC()(X0), [[1.3, 1.4, 1.5, 1.6]], rtol=1e-6)


def test_mac_equals_loops():
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 3)).astype(np.float32)
    expected = [[max(image[i, j, c] for i in range(7) for j in range(5)) for c in range(3)] for image in features]
    np.testing.assert_allclose(MAC()(features), expected)


def test_has_no_parameters():
    layer = MAC()
    layer.build([None, None, None, 2048])
    assert layer.count_params() == 0


def weights_by_loops(height, width):
    """Equation 4 with locations from 1 and the centre at (H + 1) / 2."""
    sigma = min(height, width) / 6
    return [[math.exp(-((y - (height + 1) / 2) ** 2 + (x - (width + 1) / 2) ** 2) / (2 * sigma**2))
             for x in range(1, width + 1)] for y in range(1, height + 1)]


def test_spoc_worked_out_by_hand():
    np.testing.assert_allclose(SPoC()(X0), [[2.8, 3.2, 3.6, 4.0]], rtol=1e-6)


def test_direction_is_that_of_the_mean():
    vector, mean = SPoC()(X0).numpy(), X0.mean(axis=(1, 2))
    np.testing.assert_allclose(vector / np.linalg.norm(vector), mean / np.linalg.norm(mean), rtol=1e-6)


@pytest.mark.parametrize("prior", [False, True])
def test_spoc_equals_loops(prior):
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 3)).astype(np.float32)
    weights = weights_by_loops(7, 5) if prior else np.ones((7, 5))
    expected = [[sum(weights[i][j] * image[i, j, c] for i in range(7) for j in range(5)) for c in range(3)]
                for image in features]
    np.testing.assert_allclose(SPoC(centre_prior=prior)(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(7, 5), (4, 4), (37, 37), (3, 12), (1, 1), (1, 8)])
def test_prior_is_symmetric(height, width):
    weights = center_weights(height, width).numpy()
    np.testing.assert_allclose(weights, weights_by_loops(height, width), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(weights, weights[::-1], rtol=1e-5)
    np.testing.assert_allclose(weights, weights[:, ::-1], rtol=1e-5)


def test_prior_of_the_paper_is_half_a_location_off():
    """With the centre at H/2, 4 x 4 has its maximum at the second location: (.105399, .324652, .105399, .003607)."""
    literal = [math.exp(-((1 - 2) ** 2 + (x - 2) ** 2) / (2 * (4 / 6) ** 2)) for x in (1, 2, 3, 4)]
    np.testing.assert_allclose(literal, [0.105399, 0.324652, 0.105399, 0.003607], atol=1e-6)
    first = center_weights(4, 4).numpy()[0]
    np.testing.assert_allclose(first, [math.exp(-81 / 16), math.exp(-45 / 16), math.exp(-45 / 16), math.exp(-81 / 16)],
                               rtol=1e-5)


def test_sigma_is_a_third_of_the_way_to_the_nearest_border():
    weights = center_weights(13, 25).numpy()
    assert weights[6, 12] == 1
    np.testing.assert_allclose(weights[0, 12], math.exp(-36 / (2 * (13 / 6) ** 2)), rtol=1e-5)
    np.testing.assert_allclose(weights[6, 6], weights[0, 12], rtol=1e-5)


def by_loops(features, cells):
    _, height, width, _ = features.shape

    def span(cell, length):
        return slice(math.floor(cell * length / cells), math.ceil((cell + 1) * length / cells))

    return np.stack([np.stack([features[:, span(i, height), span(j, width)].mean(axis=(1, 2)) for j in range(cells)], 1)
                     for i in range(cells)], 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 8))
def test_adaptive_pooling_equals_loops(height, width, cells):
    features = np.random.default_rng(height).standard_normal((2, height, width, 3)).astype(np.float32)
    np.testing.assert_allclose(adaptive_average_pooling(features, cells), by_loops(features, cells), atol=1e-5)
    np.testing.assert_allclose(np.sum(cell_weights(height, cells), axis=1), 1, rtol=1e-6)


def test_a_map_of_that_size_comes_out_as_it_went_in():
    features = np.random.default_rng(0).standard_normal((2, 7, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(adaptive_average_pooling(features, 7), features)


def test_cells_worked_out_by_hand():
    np.testing.assert_allclose(cell_weights(5, 2), [[1 / 3, 1 / 3, 1 / 3, 0, 0], [0, 0, 1 / 3, 1 / 3, 1 / 3]])


def test_contract_of_adaptive_pooling(check_layer, tmp_path):
    features = np.random.default_rng(0).standard_normal((2, 9, 5, 4)).astype(np.float32)
    check_layer(lambda **keras: AdaptiveAveragePooling(3, **keras), features, tmp_path)


def test_at_least_one_cell():
    with pytest.raises(ValueError, match="expected cells >= 1; received 0"):
        AdaptiveAveragePooling(0)
