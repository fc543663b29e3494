"""CroW against the numbers and loops of the paper's formulas."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.crow import CroW, crow_channel_weights, crow_spatial_weights

BY_HAND = np.array([[[1, 0], [2, 0]], [[0, 3], [4, 0]]], np.float32)[None]


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def by_loops(features):
    attended = np.zeros_like(features)
    for b, image in enumerate(features):
        height, width, channels = image.shape
        total = [[sum(image[i, j]) for j in range(width)] for i in range(height)]
        norm = sum(value**2 for row in total for value in row) ** 0.5
        share = [np.count_nonzero(image[..., c]) / (height * width) for c in range(channels)]
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    rarity = np.log(sum(share) / share[c]) if share[c] else 0
                    attended[b, i, j, c] = (total[i][j] / norm) ** 0.5 * rarity * image[i, j, c]
    return attended


def test_equals_loops(features):
    features[0, ..., 3] = 0
    features[1, 2, 4] = 0
    np.testing.assert_allclose(CroW()(features), by_loops(features), rtol=1e-5, atol=1e-6)


def test_weights_and_vector_worked_out_by_hand():
    np.testing.assert_allclose(np.squeeze(crow_spatial_weights(BY_HAND)),
                               [[0.427287, 0.604275], [0.740083, 0.854574]], atol=1e-6)
    np.testing.assert_allclose(np.squeeze(crow_channel_weights(BY_HAND)), [0.287682, 1.386294], atol=1e-6)
    np.testing.assert_allclose(np.sum(CroW()(BY_HAND), axis=(1, 2)), [[1.453984, 3.077918]], atol=1e-6)


def test_maps(features):
    _, maps = CroW(return_maps=True)(features)
    assert maps["crow_spatial"].shape == (2, 7, 5, 1)
    assert maps["crow_channel"].shape == (2, 1, 1, 32)


def test_a_channel_that_is_always_zero_weighs_nothing(features):
    features[..., 3] = 0
    weights = np.squeeze(crow_channel_weights(features))
    assert (weights[:, 3] == 0).all()
    assert (np.delete(weights, 3, axis=1) > 0).all()


def test_without_true_zeros_every_channel_weighs_log_c(features):
    np.testing.assert_allclose(crow_channel_weights(features + 0.01), np.full((2, 1, 1, 32), np.log(32)), rtol=1e-5)


def test_negative_sums_count_as_zero():
    weights = np.squeeze(crow_spatial_weights(np.array([[[[-3.0]], [[4.0]]]], np.float32)))
    np.testing.assert_allclose(weights, [0, 1])


@pytest.mark.parametrize("height", [0, 1, 7])
def test_gradient_is_finite_where_everything_is_zero(features, height):
    features[:, :height] = 0
    x = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(CroW()(x))
    assert np.isfinite(tape.gradient(loss, x)).all()


def test_has_no_parameters():
    layer = CroW()
    layer.build([None, None, None, 2048])
    assert layer.count_params() == 0
