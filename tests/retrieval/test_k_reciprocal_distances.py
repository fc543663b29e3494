"""The k-reciprocal encoding against the loops of the paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.k_reciprocal_distances import k_reciprocal_distances
from tests.retrieval.made_up import made_up


def naive(similarities, k1, k2, original_weight):
    """Zhong et al., in sets and loops."""
    count = len(similarities)
    distances = np.maximum(2 - 2 * similarities.astype(np.float64), 0)
    order = [sorted(range(count), key=lambda j, i=i: (i != j, distances[i, j])) for i in range(count)]
    np.fill_diagonal(distances, 0)
    distances /= np.maximum(distances.max(axis=1, keepdims=True), 1e-12)

    def reciprocal(i, k):
        return {j for j in order[i][:k + 1] if i in order[j][:k + 1]}

    encodings = np.zeros((count, count))
    for i in range(count):
        small = reciprocal(i, k1)
        extended = set(small)
        for j in small:
            half = reciprocal(j, round(k1 / 2))
            if len(half & small) > 2 / 3 * len(half):
                extended |= half
        for j in extended:
            encodings[i, j] = np.exp(-distances[i, j])
        encodings[i] /= encodings[i].sum()
    averaged = np.array([np.mean([encodings[j] for j in order[i][:k2]], axis=0) for i in range(count)])
    result = []
    for j in range(1, count):
        low, high = np.minimum(averaged[0], averaged[j]).sum(), np.maximum(averaged[0], averaged[j]).sum()
        result.append((1 - original_weight) * (1 - low / high) + original_weight * distances[0, j])
    return np.array(result)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.integers(1, 9), st.integers(1, 4), st.sampled_from([0, 0.3, 1]), st.integers(0, 99))
def test_against_the_loops(count, k1, k2, original_weight, seed):
    vectors = made_up(count, 6, seed).vectors
    similarities = vectors @ vectors.T
    np.testing.assert_allclose(k_reciprocal_distances(similarities, k1, k2, original_weight),
                               naive(similarities, k1, k2, original_weight), atol=1e-5)


def test_three_images_by_hand():
    """k1 1: query and image 1 have each other; image 2 has nobody but itself."""
    similarities = np.array([[1, 0.8, 0], [0.8, 1, 0.6], [0, 0.6, 1]])
    distances = k_reciprocal_distances(similarities, k1=1, k2=1, original_weight=0)
    low = np.exp(-0.2), np.exp(-0.5)  # d(0, 1) is 0.4 of at most 2 in row 0 and of at most 0.8 in row 1
    query, first = np.array([1, low[0]]) / (1 + low[0]), np.array([low[1], 1]) / (1 + low[1])
    jaccard = 1 - np.minimum(query, first).sum() / np.maximum(query, first).sum()
    np.testing.assert_allclose(distances, [jaccard, 1], atol=1e-6)


def test_two_thirds_are_not_enough_and_more_are():
    """Exactly two thirds of a half neighbourhood must not join it; float32 rounding would decide."""
    for seed in range(30):
        vectors = made_up(12, 3, seed).vectors
        similarities = vectors @ vectors.T
        np.testing.assert_allclose(k_reciprocal_distances(similarities, 4, 1, 0), naive(similarities, 4, 1, 0), atol=1e-5)


@pytest.mark.parametrize("k1", [1, 2, 3, 5, 7])
def test_an_image_is_its_own_nearest_among_copies_and_half_of_an_odd_number_is_rounded(k1):
    for seed in range(10):
        vectors = made_up(8, 3, seed).vectors[[0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 2, 2]]
        similarities = np.round(vectors @ vectors.T, 3)
        np.testing.assert_allclose(k_reciprocal_distances(similarities, k1, 2, 0), naive(similarities, k1, 2, 0), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_copies_of_the_query_are_at_distance_0(count):
    distances = k_reciprocal_distances(np.ones((count + 1, count + 1), np.float32), 20, 6, 0.3)
    np.testing.assert_allclose(distances, np.zeros(count), atol=1e-6)


def test_all_weight_on_the_original_distance_keeps_the_order():
    vectors = made_up(20).vectors
    similarities = vectors @ vectors.T
    distances = k_reciprocal_distances(similarities, 5, 3, 1.0)
    np.testing.assert_array_equal(np.argsort(distances), np.argsort(-similarities[0, 1:]))
