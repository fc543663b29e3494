import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.asmk import ASMK, Aggregated, aggregate, asmk_similarity, selectivity
from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.local_features import SIFT


@functools.cache
def codebook(seed=0, size=6, dimension=10):
    return Codebook(size, "k").fit(np.random.default_rng(seed).normal(size=(60, dimension)).astype(np.float32))


def features(seed, count=15, dimension=10):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def naive_similarity(query, candidate, centres, query_words):
    """Straight from the paper: signs as numbers, loops over words."""
    def aggregated(vectors, words):
        sums = {}
        for vector in vectors:
            for word in np.argsort(np.linalg.norm(centres - vector, axis=1))[:words]:
                sums[word] = sums.get(word, 0) + vector.astype(float) - centres[word]
        return {word: np.where(total > 0, 1, -1) for word, total in sums.items()}
    left, right = aggregated(query, query_words), aggregated(candidate, 1)
    total = 0.0
    for word in left.keys() & right.keys():
        alike = (left[word] * right[word]).mean()
        total += alike ** 3 if alike > 0 else 0
    return total / np.sqrt(len(left) * len(right))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.sampled_from([1, 5]))
def test_equals_naive_loops(seed, words):
    book = codebook(seed % 3)
    query, candidate = features(seed + 1), features(seed + 2)
    found = asmk_similarity(aggregate(query, book, words), aggregate(candidate, book, 1), 10)
    assert found == pytest.approx(naive_similarity(query, candidate, book.centres, words), abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200))
def test_an_image_and_itself_have_one(seed):
    image = aggregate(features(seed), codebook(seed % 3), 1)
    assert asmk_similarity(image, image, 10) == pytest.approx(1)


def test_selectivity_by_hand():
    bits = np.packbits([[0] * 10, [1] + [0] * 9, [1] * 5 + [0] * 5, [1] * 10], axis=1)
    np.testing.assert_allclose(selectivity(bits[0], bits, 10), [1, 0.8 ** 3, 0, 0])


def test_no_common_word_and_nothing_at_all():
    left, right = (Aggregated(np.array(words), np.zeros((len(words), 1), np.uint8)) for words in ([1, 2], [3]))
    nothing = Aggregated(np.zeros(0, np.int64), np.zeros((0, 1), np.uint8))
    assert asmk_similarity(left, right, 8) == 0
    assert asmk_similarity(left, nothing, 8) == 0


def test_the_same_wall_comes_first(walls):
    sift = SIFT()
    book = Codebook(64, sift.kind).fit(np.concatenate([sift(wall).vectors for wall in walls]))
    images = {"other": walls[1], "same": walls[0], "flat": np.zeros_like(walls[0])}
    done = ASMK(sift, book).rerank(walls[0][:, 20:], list(images), images.__getitem__)
    assert done.ids == ["same", "other", "flat"]
    assert done.scores[0] > 3 * done.scores[1]
    assert done.scores[2] == 0


def test_a_codebook_of_other_features():
    with pytest.raises(UserError, match="Fit a codebook to these features"):
        ASMK(SIFT(), codebook())
