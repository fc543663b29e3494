"""PCA whitening."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening
from tests.retrieval.made_up import made_up, of


def plain(whitening, embeddings):
    """The map without the normalisation at its end."""
    return (embeddings.vectors - whitening.mean) @ whitening.projection


def test_power_a_half_gives_covariance_1():
    train = made_up(200)
    whitened = plain(PcaWhitening(power=0.5).fit(train), train)
    np.testing.assert_allclose(np.cov(whitened, rowvar=False), np.eye(8), atol=1e-4)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-5)


def test_power_leaves_that_part_of_the_variance_in_falling_order():
    train = made_up(200)
    rotated = np.var(plain(PcaWhitening(power=0).fit(train), train), axis=0, ddof=1)
    softened = np.var(plain(PcaWhitening(power=0.25).fit(train), train), axis=0, ddof=1)
    np.testing.assert_allclose(softened, rotated**0.5, rtol=1e-3)
    assert (np.diff(rotated) <= 0).all()


def test_against_the_decomposition_written_out():
    train, other = made_up(60), made_up(7, seed=3)
    mean = train.vectors.astype(np.float64).mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(train.vectors.astype(np.float64), rowvar=False))
    expected = (other.vectors - mean) @ (directions[:, ::-1][:, :3] / values[::-1][:3] ** 0.25)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    whitened = PcaWhitening(3, power=0.25).fit(train).transform(other).vectors
    np.testing.assert_allclose(whitened @ whitened.T, expected @ expected.T, atol=1e-4)  # signs are free


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99))
def test_power_0_keeps_distances_from_the_mean_and_whitening_ignores_a_rotation(seed):
    train = made_up(40, 6)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=[6, 6]))[0]
    turned = of(train.ids, train.vectors @ rotation)
    rotated = plain(PcaWhitening(power=0).fit(train), train)
    centred = train.vectors - train.vectors.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(rotated, axis=1), np.linalg.norm(centred, axis=1), atol=1e-5)
    one, other = (PcaWhitening(4).fit(embeddings).transform(embeddings).vectors for embeddings in (train, turned))
    np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-3)


def test_directions_without_variance_are_left_out_and_never_divided_by():
    flat = of([f"i{n}" for n in range(50)], np.pad(made_up(50, 5).vectors, [(0, 0), (0, 3)]))
    whitening = PcaWhitening(power=0.5).fit(flat)
    assert whitening.projection.shape == (8, 5)
    assert np.abs(whitening.projection).max() < 100
    with pytest.raises(UserError, match="vary in 6 directions or more; received 50 of dimension 8 that vary in 5"):
        PcaWhitening(6).fit(flat)


def test_fewer_photographs_than_dimensions():
    few = made_up(4)
    assert PcaWhitening(3).fit(few).transform(few).vectors.dtype == np.float32
    with pytest.raises(UserError, match="Fit on more photographs"):
        PcaWhitening(4).fit(few)


@pytest.mark.parametrize("train", [of(["a"], [[1, 0]]), of(["a", "b", "c"], [[1, 0]] * 3)])
def test_embeddings_that_do_not_vary(train):
    with pytest.raises(UserError, match="vary in 0"):
        PcaWhitening().fit(train)


@pytest.mark.parametrize(("settings", "message"), [({"power": 0.6}, "power from 0"), ({"power": -0.1}, "power from 0"),
                                                   ({"power": np.nan}, "power from 0"), ({"dimension": 0}, "1 dimension")])
def test_settings_out_of_range(settings, message):
    with pytest.raises(UserError, match=message):
        PcaWhitening(**settings)
