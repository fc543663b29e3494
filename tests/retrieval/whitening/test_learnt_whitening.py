"""Whitening learnt from pairs."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.whitening.learnt_whitening import LearntWhitening
from landmark_zoo.retrieval.whitening.matching_pairs import matching_pairs
from tests.retrieval.made_up import made_up, of


def pairs_of(embeddings, landmarks=5):
    return matching_pairs(embeddings.ids, {image_id: str(n % landmarks) for n, image_id in enumerate(embeddings.ids)}, 400)


def test_differences_of_pairs_turn_white_and_the_whole_diagonal_and_falling():
    train = made_up(100)
    pairs = pairs_of(train)
    whitening = LearntWhitening().fit(train, pairs)
    row_of = {image_id: row for row, image_id in enumerate(train.ids)}
    within = np.zeros((8, 8))
    for first, second in pairs:
        difference = train.vectors[row_of[first]].astype(np.float64) - train.vectors[row_of[second]]
        within += np.outer(difference, difference) / len(pairs)
    projection = whitening.projection.astype(np.float64)
    np.testing.assert_allclose(projection.T @ within @ projection, np.eye(8), atol=1e-5)
    whole = projection.T @ np.cov(train.vectors.astype(np.float64), rowvar=False) @ projection
    np.testing.assert_allclose(whole, np.diag(np.diag(whole)), atol=1e-4 * whole.max())
    assert (np.diff(np.diag(whole)) < 0).all()


def test_the_mean_is_that_of_all_embeddings():
    train = made_up(40)
    whitening = LearntWhitening().fit(train, pairs_of(train)[:30])
    np.testing.assert_allclose(whitening.mean, train.vectors.mean(axis=0), atol=1e-6)
    assert whitening.provenance["mean"] == "of these embeddings"
    assert whitening.provenance["pairs"] == 30


def test_fewer_dimensions_are_the_first_of_all():
    train = made_up(100)
    two, all_ = (LearntWhitening(dimension).fit(train, pairs_of(train)).projection for dimension in (2, None))
    np.testing.assert_allclose(two, all_[:, :2], rtol=1e-5)


def test_it_takes_away_what_differs_within_landmarks():
    """One direction is pure within-landmark noise, larger than everything that tells landmarks apart."""
    def noisy(count, seed):
        signal = made_up(count, 6, seed, spread=0.2).vectors
        return of([f"i{n}" for n in range(count)], np.c_[signal, 3 * np.random.default_rng(seed).normal(size=[count, 2])])

    def first_right(embeddings):
        found, _ = ExactIndex.of(embeddings).search_positions(embeddings.vectors, 2)
        return np.mean(found[:, 1] % 5 == np.arange(len(embeddings)) % 5)
    train, test = noisy(300, 1), noisy(60, 2)
    assert first_right(LearntWhitening(4).fit(train, pairs_of(train)).transform(test)) > first_right(test) + 0.1


def test_refusals():
    train = made_up(20)
    with pytest.raises(UserError, match="none for nobody"):
        LearntWhitening().fit(train, [("i0", "i5"), ("i1", "nobody")])
    with pytest.raises(UserError, match="received none"):
        LearntWhitening().fit(train, [])
    with pytest.raises(UserError, match="span all 8 dimensions; received 3 pairs that span 3"):
        LearntWhitening().fit(train, [("i0", "i5"), ("i1", "i6"), ("i2", "i7")])
    with pytest.raises(UserError, match="8 dimensions or fewer; received 9"):
        LearntWhitening(9).fit(train, pairs_of(train))


def test_more_photographs_than_pairs_need_leave_it_real_valued():
    """`numpy.linalg.eig` gives complex numbers here: the matrix is symmetric only up to rounding."""
    train = made_up(300, 64)
    projection = LearntWhitening().fit(train, pairs_of(train)).projection
    assert projection.dtype == np.float32
    assert np.isfinite(projection).all()
