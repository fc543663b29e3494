import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.local_features import SIFT
from landmark_zoo.retrieval.rerank.vlad import VLAD, vlad

VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
CENTRES = np.array([[1, 0], [0, 1]], np.float32)
WORDS = np.array([0, 1, 1])


@pytest.mark.parametrize(("intra", "power", "expected"), [
    (False, 1.0, [0, 0, 0.948683, -0.316228]),
    (False, 0.5, [0, 0, 0.866025, -0.5]),
    (True, 0.5, [0, 0, 0.866025, -0.5]),
])
def test_worked_by_hand(intra, power, expected):
    np.testing.assert_allclose(vlad(VECTORS, CENTRES, WORDS, intra, power), expected, atol=1e-6)


def test_intra_normalisation_gives_every_word_the_same_say():
    vectors = np.array([[1, 0.1], [5, 1], [5, 1]], np.float32)
    result = vlad(vectors, CENTRES, WORDS, intra=True, power=1)
    np.testing.assert_allclose(np.linalg.norm(result.reshape(2, 2), axis=1), np.sqrt(0.5), atol=1e-6)


def test_the_root_comes_before_the_normalization_of_a_word():
    """VLFeat's order: (4, 1) and (0, 1) become (2, 1) and (0, 1), then of length 1 each."""
    vectors, centres = np.array([[4, 1], [10, 1]], np.float32), np.array([[0, 0], [10, 0]], np.float32)
    expected = np.array([2 / 5**0.5, 1 / 5**0.5, 0, 1]) / 2**0.5
    np.testing.assert_allclose(vlad(vectors, centres, np.array([0, 1]), intra=True, power=0.5), expected, atol=1e-6)


def test_no_local_features_no_length():
    assert vlad(VECTORS[:0], CENTRES, WORDS[:0]).tolist() == [0, 0, 0, 0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.booleans(), st.sampled_from([0.5, 1.0]))
def test_equals_naive_loops_in_any_order(seed, intra, power):
    random = np.random.default_rng(seed)
    vectors, centres = (random.normal(size=shape).astype(np.float32) for shape in ((20, 3), (4, 3)))
    words = np.array([np.argmin([np.linalg.norm(x - c) for c in centres]) for x in vectors])
    parts = []
    for word, center in enumerate(centres):
        total = sum((x.astype(float) - center for x, w in zip(vectors, words, strict=True) if w == word), np.zeros(3))
        total = np.array([np.sign(value) * abs(value) ** power for value in total])
        parts.append(total / np.linalg.norm(total) if intra and total.any() else total)
    whole = np.concatenate(parts)
    order = random.permutation(20)
    np.testing.assert_allclose(vlad(vectors[order], centres, words[order], intra, power), whole / np.linalg.norm(whole),
                               atol=1e-5)


def test_the_same_wall_comes_first(walls):
    sift = SIFT()
    codebook = Codebook(8, sift.kind).fit(np.concatenate([sift(wall).vectors for wall in walls]))
    images = {"other": walls[1], "shifted": walls[0][:, 10:], "same": walls[0], "flat": np.zeros_like(walls[0])}
    done = VLAD(sift, codebook).rerank(walls[0], list(images), images.__getitem__)
    assert done.ids[:2] == ["same", "shifted"]
    np.testing.assert_allclose(done.scores_of(["same", "flat"]), [1, 0], atol=1e-5)


def test_a_codebook_of_other_features(walls):
    with pytest.raises(UserError, match="Fit a codebook to these features"):
        VLAD(SIFT(), Codebook(2, "a model").fit(np.eye(4, dtype=np.float32)))
