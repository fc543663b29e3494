"""Distances against loops, and their gradient where there is none."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.pairwise_distances import pairwise_distances

EMBEDDINGS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


@pytest.mark.parametrize("squared", [False, True])
def test_equals_loops(squared):
    expected = [[np.linalg.norm(a - b) ** (2 if squared else 1) for b in EMBEDDINGS] for a in EMBEDDINGS]
    np.testing.assert_allclose(pairwise_distances(EMBEDDINGS, squared), expected, rtol=1e-4, atol=2e-3)


def test_many_dimensions_of_length_one():
    wide = np.random.default_rng(0).standard_normal((4, 2048)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    wide[1] = wide[0]
    distances = pairwise_distances(wide).numpy()
    assert distances[0, 1] <= 0.002
    np.testing.assert_allclose(distances[0, 2], np.linalg.norm(wide[0] - wide[2]), rtol=1e-5)


@pytest.mark.parametrize("gap", [0, 1e-7, 1e-5, 1e-4, 1e-3])
def test_gradient_is_never_longer_than_that_of_a_distance(gap):
    x = tf.constant([[1.0, 0.0], [1.0, gap]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        distance = pairwise_distances(x)[0, 1]
    assert np.linalg.norm(tape.gradient(distance, x)[0]) <= 1.1
