"""The embedding layer."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from landmark_zoo.layers.embedding import EmbeddingLayer
from tests.contracts.layer import check_layer

POOLED = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)


def test_contract(tmp_path):
    check_layer(lambda **keras: EmbeddingLayer(6, **keras), POOLED[:3], tmp_path)


def test_unit_length_whatever_the_input():
    layer = EmbeddingLayer(6)
    for factor in (1e-6, 1, 1e6):
        np.testing.assert_allclose(np.linalg.norm(layer(factor * POOLED), axis=1), 1, rtol=1e-5)


def test_set_projection_is_scikit_learns_pca():
    unit = POOLED / np.linalg.norm(POOLED, axis=1, keepdims=True)
    pca = PCA(5).fit(unit)
    expected = pca.transform(unit)
    layer = EmbeddingLayer(5)
    layer.build(POOLED.shape)
    layer.set_projection(pca.mean_, pca.components_.T)
    np.testing.assert_allclose(layer(POOLED), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_dimension_must_be_positive():
    with pytest.raises(ValueError, match="expected dimension >= 1; received 0"):
        EmbeddingLayer(0)
