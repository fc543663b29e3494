"""Adaptive average pooling against loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.adaptive_pooling import AdaptiveAveragePooling, adaptive_average_pooling, cell_weights


def by_loops(features, cells):
    _, height, width, _ = features.shape

    def span(cell, length):
        return slice(math.floor(cell * length / cells), math.ceil((cell + 1) * length / cells))

    return np.stack([np.stack([features[:, span(i, height), span(j, width)].mean(axis=(1, 2)) for j in range(cells)], 1)
                     for i in range(cells)], 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 8))
def test_equals_loops(height, width, cells):
    features = np.random.default_rng(height).standard_normal((2, height, width, 3)).astype(np.float32)
    np.testing.assert_allclose(adaptive_average_pooling(features, cells), by_loops(features, cells), atol=1e-5)
    np.testing.assert_allclose(np.sum(cell_weights(height, cells), axis=1), 1, rtol=1e-6)


def test_a_map_of_that_size_comes_out_as_it_went_in():
    features = np.random.default_rng(0).standard_normal((2, 7, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(adaptive_average_pooling(features, 7), features)


def test_worked_out_by_hand():
    np.testing.assert_allclose(cell_weights(5, 2), [[1 / 3, 1 / 3, 1 / 3, 0, 0], [0, 0, 1 / 3, 1 / 3, 1 / 3]])


def test_contract(check_layer, tmp_path):
    features = np.random.default_rng(0).standard_normal((2, 9, 5, 4)).astype(np.float32)
    check_layer(lambda **keras: AdaptiveAveragePooling(3, **keras), features, tmp_path)


def test_at_least_one_cell():
    with pytest.raises(ValueError, match="expected cells >= 1; received 0"):
        AdaptiveAveragePooling(0)
