"""SOLAR's second-order loss against loops."""

import math

import numpy as np

from landmark_zoo.losses.second_order_similarity import second_order_similarity

TUPLE = np.array([[[1, 0], [0.8, 0.6], [0, 1], [-1, 0]]], np.float32)


def test_worked_out_by_hand():
    np.testing.assert_allclose(second_order_similarity(TUPLE), math.sqrt((2 - 0.8) ** 2 + (4 - 3.6) ** 2), rtol=1e-5)
    np.testing.assert_allclose(second_order_similarity(TUPLE), 1.264911, atol=1e-6)


def test_equals_loops():
    tuples = np.random.default_rng(0).standard_normal((3, 7, 4)).astype(np.float32)
    total = sum((sum((q - n) ** 2) - sum((p - n) ** 2)) ** 2 for q, p, *negatives in tuples for n in negatives)
    np.testing.assert_allclose(second_order_similarity(tuples), math.sqrt(total) / 3, rtol=1e-4)


def test_one_root_over_the_batch():
    np.testing.assert_allclose(second_order_similarity(np.tile(TUPLE, [4, 1, 1])), second_order_similarity(TUPLE) / 2,
                               rtol=1e-5)


def test_a_positive_like_its_query_costs_nothing():
    tuples = TUPLE.copy()
    tuples[:, 1] = tuples[:, 0]
    np.testing.assert_allclose(second_order_similarity(tuples), 0, atol=2e-6)
