"""CroW's vector against its formula, and what the weights need."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.crow import CroW
from landmark_zoo.layers.pooling import CroWPooling, SPoC
from landmark_zoo.layers.pooling.crow import crow

BY_HAND = np.array([[[1, 0], [2, 0]], [[0, 3], [4, 0]]], np.float32)[None]


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 6)), 0).astype(np.float32)


def by_loops(features):
    vectors = np.zeros((len(features), features.shape[-1]))
    for b, image in enumerate(features):
        height, width, channels = image.shape
        norm = sum(sum(image[i, j]) ** 2 for i in range(height) for j in range(width)) ** 0.5
        share = [np.count_nonzero(image[..., c]) / (height * width) for c in range(channels)]
        for c in range(channels):
            for i in range(height):
                for j in range(width):
                    vectors[b, c] += (sum(image[i, j]) / norm) ** 0.5 * image[i, j, c]
            vectors[b, c] *= np.log(sum(share) / share[c]) if share[c] else 0
    return vectors


def test_worked_out_by_hand():
    np.testing.assert_allclose(crow(BY_HAND), [[1.453984, 3.077918]], atol=1e-6)


def test_equals_loops(features):
    features[0, ..., 3] = 0
    np.testing.assert_allclose(CroWPooling()(features), by_loops(features), rtol=1e-5)


def test_is_the_sum_of_the_attended_map(features):
    np.testing.assert_allclose(CroWPooling()(features), SPoC()(CroW()(features)), rtol=1e-5)


def test_without_true_zeros_channels_weigh_the_same(features):
    swished = features + 0.01
    total = swished.sum(axis=-1, keepdims=True)
    spatial = np.sqrt(total / np.sqrt((total**2).sum(axis=(1, 2), keepdims=True)))
    np.testing.assert_allclose(crow(swished), np.log(6) * (spatial * swished).sum(axis=(1, 2)), rtol=1e-5)
