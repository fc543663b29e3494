"""HOW's attention and smoothing against loops."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.how import HOW, l2_attention, smooth
from landmark_zoo.layers.embedding import WhiteningReduction, l2_normalize


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def by_loops(features):
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        lengths = np.array([[sum(x**2) ** 0.5 for x in row] for row in image])
        for i in range(image.shape[0]):
            for j in range(image.shape[1]):
                around = image[max(i - 1, 0):i + 2, max(j - 1, 0):j + 2]
                attended[b, i, j] = lengths[i, j] / lengths.max() * around.mean(axis=(0, 1))
    return attended


def test_equals_loops(features):
    np.testing.assert_allclose(HOW()(features), by_loops(features), rtol=1e-5, atol=1e-6)


def test_smoothing_worked_out_by_hand():
    smoothed = np.squeeze(smooth(np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)))
    assert smoothed[0, 0] == 3
    assert smoothed[0, 1] == 3.5
    assert smoothed[1, 1] == 5
    assert (np.squeeze(smooth(np.array([1, 2, 3, 4], np.float32).reshape(1, 2, 2, 1))) == 2.5).all()


def test_attention_is_the_length():
    np.testing.assert_allclose(l2_attention(np.array([[[[3, 4]]]], np.float32)), [[[[5]]]], rtol=1e-6)


def test_an_image_does_not_depend_on_its_batch(features):
    features[1] *= 100
    np.testing.assert_allclose(HOW()(features)[:1], HOW()(features[:1]), rtol=1e-6)


def test_embedding_is_that_of_the_maximum_of_the_batch(features):
    features[1] *= 100
    by_batch = np.sum(l2_attention(features) / tf.reduce_max(l2_attention(features)) * smooth(features), axis=(1, 2))
    by_image = np.sum(HOW()(features), axis=(1, 2))
    np.testing.assert_allclose(l2_normalize(by_image), l2_normalize(by_batch), rtol=1e-5, atol=1e-6)


def test_attention_is_of_the_features_before_smoothing():
    features = np.zeros((1, 5, 5, 1), np.float32)
    features[0, 2, 2] = 9
    attended = np.squeeze(HOW()(features))
    np.testing.assert_allclose(attended[2, 2], 1)
    np.testing.assert_allclose(np.delete(attended.ravel(), 12), 0, atol=1e-5)


def test_vector_of_how_with_its_reduction(features):
    reduction = WhiteningReduction(8)
    reduction.fit(np.reshape(smooth(features), (-1, 32)))
    kernel, bias = reduction.get_weights()
    expected = sum(np.linalg.norm(x) * (s @ kernel + bias)
                   for x, s in zip(features[0].reshape(-1, 32), np.reshape(smooth(features)[0], (-1, 32)), strict=True))
    vector = np.sum(l2_attention(features) * reduction(smooth(features)), axis=(1, 2))[0]
    np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-4)


def test_zero_image_has_finite_gradients():
    x = tf.zeros([1, 7, 5, 32])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(HOW()(x))
    assert np.isfinite(tape.gradient(loss, x)).all()


def test_has_no_parameters():
    layer = HOW()
    layer.build([None, None, None, 2048])
    assert layer.count_params() == 0
