"""GeM against the paper's formula."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.pooling import GeM, gem
from tests.contracts.layer import check_layer

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


@pytest.mark.parametrize("arguments", [{}, {"trainable_p": True}, {"trainable_p": True, "per_channel": True, "p": 2.5}])
def test_contract(arguments, tmp_path):
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
