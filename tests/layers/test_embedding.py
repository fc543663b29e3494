import hypothesis.extra.numpy
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from landmark_zoo.layers.embedding import (
    EmbeddingLayer,
    L2Normalize,
    WhiteningReduction,
    l2_normalize,
    pca_whitening,
    power_mean,
)

POOLED = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)


def test_contract(check_layer, tmp_path):
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


def test_l2_normalize_contract(check_layer, tmp_path):
    check_layer(L2Normalize, np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32), tmp_path)


def test_zero_stays_zero_and_small_vectors_become_unit():
    np.testing.assert_allclose(l2_normalize([[0.0, 0.0], [3e-9, 4e-9]]), [[0, 0], [0.6, 0.8]], rtol=1e-5)


def vectors(seed=0, number=300, length=12):
    random = np.random.default_rng(seed)
    return random.standard_normal((number, length)) @ random.standard_normal((length, length)) + 5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), dimension=st.integers(1, 12))
def test_covariance_becomes_the_identity(seed, dimension):
    mean, projection = pca_whitening(vectors(seed), dimension)
    whitened = (vectors(seed) - mean) @ projection
    np.testing.assert_allclose(np.cov(whitened, rowvar=False, bias=True).reshape(dimension, dimension),
                               np.eye(dimension), atol=1e-8)


def test_directions_of_most_variance_are_kept():
    x = np.random.default_rng(0).standard_normal((500, 3)) * [1, 10, 5]
    _, projection = pca_whitening(x, 2)
    assert np.abs(projection).argmax(axis=0).tolist() == [1, 2]


def test_layer_whitens_a_map_without_normalising():
    layer = WhiteningReduction(4)
    layer.fit(vectors())
    whitened = layer(vectors().reshape(5, 6, 10, 12).astype(np.float32))
    assert whitened.shape == (5, 6, 10, 4)
    flat = np.reshape(whitened, (-1, 4))
    np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(flat.std(axis=0), 1, atol=1e-4)
    assert np.linalg.norm(flat, axis=1).std() > 0.1


def test_never_learns():
    layer = WhiteningReduction(4)
    layer.build([None, 12])
    layer.trainable = True
    assert layer.trainable_weights == []


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 262_272), (1024, 131_200), (512, 65_664)])
def test_parameters(channels, parameters):
    layer = WhiteningReduction()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_too_few_vectors():
    with pytest.raises(ValueError, match="at least 8 directions; received 5 vectors of length 12 that span 4"):
        WhiteningReduction(8).fit(vectors(number=5))


def test_dead_channels_may_not_be_enlarged():
    x = vectors()
    x[:, 3:] = 0
    with pytest.raises(ValueError, match="received 300 vectors of length 12 that span 3"):
        pca_whitening(x, 4)


def test_dimension_is_checked():
    with pytest.raises(ValueError, match="expected dimension >= 1; received 0"):
        WhiteningReduction(0)


def test_whitening_reduction_contract(check_layer, tmp_path):
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 32)).astype(np.float32)
    check_layer(lambda **kwargs: WhiteningReduction(16, **kwargs), features, tmp_path)


def test_fitted_layer_is_saved(tmp_path):
    layer = WhiteningReduction(4)
    layer.fit(vectors())
    image = tf.keras.Input([None, None, 12])
    tf.keras.Model(image, layer(image)).save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    x = np.ones((1, 2, 3, 12), np.float32)
    np.testing.assert_allclose(loaded(x), layer(x), rtol=1e-6)


VECTORS = hypothesis.extra.numpy.arrays(np.float32, [1, 2, 4], elements=st.floats(-1, 1, width=16))


@settings(max_examples=30, deadline=None)
@given(VECTORS, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_the_mean_of_equal_vectors_is_each(vectors, power):
    np.testing.assert_allclose(power_mean(tf.repeat(vectors, 3, axis=0), power), vectors[0], atol=1e-3)


def test_power_means_by_hand():
    vectors = tf.constant([[1.0, -2.0], [2.0, -4.0]])
    np.testing.assert_allclose(power_mean(vectors, 1), [1.5, -3])
    np.testing.assert_allclose(power_mean(vectors, 3), [4.5 ** (1 / 3), -36 ** (1 / 3)], rtol=1e-6)
