import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.k_reciprocal import k_reciprocal, k_reciprocal_distances
from tests.retrieval.made_up import made_up, of


def test_with_all_candidates_it_is_the_method_over_query_and_index():
    index, queries = made_up(30), made_up(3, seed=1, prefix="q")
    rankings = k_reciprocal(queries, index, depth=30, candidates=30, k1=6, k2=3)
    for query, ranking in zip(queries.vectors, rankings, strict=True):
        everything = np.concatenate([query[np.newaxis], index.vectors])
        distances = k_reciprocal_distances(everything @ everything.T, 6, 3, 0.3)
        in_order = distances[[index.ids.index(image_id) for image_id in ranking]]
        assert sorted(ranking) == sorted(index.ids)
        assert (np.diff(in_order) > -1e-5).all()


def test_images_behind_the_candidates_keep_their_places():
    index, query = made_up(30), made_up(1, seed=1, prefix="q")
    found = ExactIndex.of(index).search(query.vectors, 30)[0][0]
    ranking = k_reciprocal(query, index, depth=20, candidates=10, k1=4, k2=2)[0]
    assert sorted(ranking[:10]) == sorted(found[:10])
    assert ranking[10:] == found[10:20]
    assert len(k_reciprocal(query, index, depth=5, candidates=10, k1=4, k2=2)[0]) == 5


def test_it_finds_more_of_the_landmark():
    index, queries = made_up(150, 12, spread=1.1), made_up(25, 12, seed=1, prefix="q", spread=1.1)

    def right(rankings):
        return np.mean([[int(image_id[1:]) % 5 == query % 5 for image_id in ranking[:30]]
                        for query, ranking in enumerate(rankings)])
    assert right(k_reciprocal(queries, index)) > right(ExactIndex.of(index).search(queries.vectors, 30)[0]) + 0.03


def test_other_queries_do_not_matter():
    index, queries = made_up(40), made_up(4, seed=1, prefix="q")
    together = k_reciprocal(queries, index)
    assert [k_reciprocal(queries.select([query]), index)[0] for query in queries.ids] == together


def test_an_index_smaller_than_every_setting():
    assert k_reciprocal(of(["q"], [[1, 0]]), of(["a", "b"], [[0, 1], [1, 0]])) == [["b", "a"]]


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"candidates": 0}, {"k1": 0}, {"k2": 0}, {"original_weight": 1.1},
                                   {"original_weight": -0.1}])
def test_settings_out_of_range(wrong):
    with pytest.raises(UserError, match="Mend the settings"):
        k_reciprocal(made_up(1), made_up(3), **wrong)


def test_queries_of_another_model_are_refused():
    with pytest.raises(UserError, match="Embed both with the same model"):
        k_reciprocal(of(["q"], [[1, 0]], "g"), of(["a"], [[1, 0]]))


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
