"""The sum of vectors of length 1, and its whitening."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.pooling.vector_sum import VectorSum


class Locations(VectorSum):
    """Every location is a vector."""

    def vectors(self, features):
        return tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((3, 7, 5, 6)).astype(np.float32)


def test_each_vector_counts_with_length_1(features):
    vector = Locations()(features)
    np.testing.assert_allclose(vector, (features / np.linalg.norm(features, axis=-1, keepdims=True)).sum(axis=(1, 2)),
                               rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(Locations()(1000 * features), vector, rtol=1e-5, atol=1e-5)


def test_whitened_vectors_have_no_common_direction(features):
    layer = Locations(whitening_dim=6)
    layer.fit([features[:2], features[2:, :4]])
    units = np.concatenate([np.reshape(part, (-1, 6)) for part in (features[:2], features[2:, :4])])
    whitened = layer.whitening(units / np.linalg.norm(units, axis=1, keepdims=True)).numpy()
    np.testing.assert_allclose(np.cov(whitened, rowvar=False, bias=True), np.eye(6), atol=1e-4)
    expected = (whitened[:35] / np.linalg.norm(whitened[:35], axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(layer(features)[0], expected, rtol=1e-4, atol=1e-4)


def test_empty_locations_do_not_count_in_the_whitening(features):
    layer, with_zeros = Locations(whitening_dim=3), Locations(whitening_dim=3)
    layer.fit([features])
    with_zeros.fit([np.concatenate([features, np.zeros_like(features)])])
    for weight, other in zip(layer.get_weights(), with_zeros.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


def test_whitening_never_learns(features):
    layer = Locations(whitening_dim=4)
    assert layer(features).shape == layer.compute_output_shape(features.shape) == (3, 4)
    assert layer.trainable_weights == []


def test_fit_needs_a_whitening(features):
    with pytest.raises(ValueError, match="Locations: expected whitening_dim to fit a whitening; received None"):
        Locations().fit([features])
