import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval import query_expansion as module
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.query_expansion import (
    alpha_query_expansion,
    database_augmentation,
    similarity_weights,
    sum_of_neighbors,
)
from tests.retrieval.made_up import made_up, of

INDEX = of(["a", "b", "c"], [[0.8, 0.6], [0.6, 0.8], [-1, 0]])


def test_numbers_worked_out_by_hand():
    expanded = alpha_query_expansion(of(["q"], [[1, 0]]), INDEX, neighbours=2, alpha=3)
    np.testing.assert_allclose(expanded.vectors, [[0.954656, 0.297710]], atol=1e-6)
    assert expanded.provenance["steps"] == ["query expansion: 2 neighbours, alpha 3"]


def test_alpha_0_is_the_mean():
    expanded = alpha_query_expansion(of(["q"], [[1, 0]]), INDEX, neighbours=2, alpha=0)
    mean = np.array([1 + 0.8 + 0.6, 0.6 + 0.8])
    np.testing.assert_allclose(expanded.vectors[0], mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize("alpha", [0, 1, 2, 3])
def test_a_negative_similarity_to_an_odd_power_does_not_subtract(alpha):
    two, three = (alpha_query_expansion(of(["q"], [[1, 0]]), INDEX, n, alpha).vectors for n in (2, 3))
    np.testing.assert_array_equal(two, three)


def test_a_query_that_is_in_the_index_counts_once():
    query = of(["q"], [[1, 0]])
    with_itself = of(["q", *INDEX.ids], [[1, 0], *INDEX.vectors])
    np.testing.assert_allclose(alpha_query_expansion(query, with_itself, 2).vectors,
                               alpha_query_expansion(query, INDEX, 2).vectors, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 15), st.sampled_from([0, 1, 2, 3.5]), st.integers(0, 99))
def test_against_loops(count, neighbours, alpha, seed):
    index, queries = made_up(count, 5, seed), made_up(3, 5, seed + 1, "q")
    expected = []
    for query in queries.vectors.astype(np.float64):
        best = sorted(index.vectors, key=lambda x, q=query: -(q @ x))[:neighbours]
        total = query + sum((query @ x) ** alpha * x for x in best if query @ x > 0)
        expected.append(total / np.linalg.norm(total))
    np.testing.assert_allclose(alpha_query_expansion(queries, index, neighbours, alpha).vectors, expected, atol=1e-5)


def test_other_queries_do_not_matter():
    index, queries = made_up(30), made_up(4, seed=1, prefix="q")
    alone = alpha_query_expansion(queries.select(["q2"]), index)
    np.testing.assert_allclose(alpha_query_expansion(queries, index).vectors[2], alone.vectors[0], atol=1e-6)


def test_queries_of_another_model_are_refused():
    with pytest.raises(UserError, match="Embed both with the same model"):
        alpha_query_expansion(of(["q"], [[1, 0]], "g"), INDEX)


def test_database_augmentation_numbers_worked_out_by_hand():
    index = of(["a", "b", "c"], [[1, 0], [0.8, 0.6], [0, 1]])
    augmented = database_augmentation(index, neighbours=1)
    sums = np.array([[1 + 0.4, 0.3], [0.8 + 0.5, 0.6], [0.4, 1 + 0.3]])  # the neighbour counts (2 - 1) / 2
    np.testing.assert_allclose(augmented.vectors, sums / np.linalg.norm(sums, axis=1, keepdims=True), atol=1e-6)
    assert augmented.provenance["steps"] == ["database augmentation: 1 neighbours, weights by place"]
    assert augmented.model_fingerprint == "f"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 14), st.sampled_from([None, 0, 1, 3]), st.integers(0, 99))
def test_database_augmentation_against_loops(count, neighbours, alpha, seed):
    index = made_up(count, 5, seed)
    expected = []
    for i, vector in enumerate(index.vectors.astype(np.float64)):
        others = sorted((x for j, x in enumerate(index.vectors) if j != i), key=lambda x, v=vector: -(v @ x))
        total = vector.copy()
        for rank, other in enumerate(others[:neighbours], start=1):
            if vector @ other > 0:
                total += ((neighbours + 1 - rank) / (neighbours + 1) if alpha is None else (vector @ other) ** alpha) * other
        expected.append(total / np.linalg.norm(total))
    np.testing.assert_allclose(database_augmentation(index, neighbours, alpha).vectors, expected, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(9)))
def test_the_order_of_the_index_does_not_matter(order):
    """It would if sums were made of embeddings that have been replaced already."""
    index = made_up(9)
    shuffled = database_augmentation(index.select([index.ids[row] for row in order]), 3)
    np.testing.assert_allclose(shuffled.select(index.ids).vectors, database_augmentation(index, 3).vectors, atol=1e-6)


def test_images_of_a_landmark_come_closer():
    index = made_up(200, 32, spread=1.5)
    landmarks = np.arange(200) % 5

    def share(embeddings):
        rows, _ = ExactIndex.of(embeddings).search_positions(embeddings.vectors, 20)
        return np.mean(landmarks[rows] == landmarks[:, np.newaxis])
    assert share(database_augmentation(index, 10)) > share(index) + 0.05


@pytest.mark.parametrize("alpha", [None, 0])
def test_one_image_stays(alpha):
    one = of(["a"], [[0.6, 0.8]])
    np.testing.assert_allclose(database_augmentation(one, 5, alpha).vectors, one.vectors, atol=1e-7)


@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2, 3])
def test_a_negative_similarity_counts_nothing(alpha):
    assert similarity_weights(np.array([-0.5, 0.0]), alpha).tolist() == [0, 0]
    assert similarity_weights(np.array([0.5]), alpha)[0] == pytest.approx(0.5**alpha)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.floats(0, 9))
def test_weights_lie_in_0_to_1_and_rise_with_similarity(similarities, alpha):
    weights = similarity_weights(np.sort(similarities), alpha)
    assert (weights >= 0).all()
    assert (weights <= 1).all()
    assert (np.diff(weights) >= 0).all()


@pytest.mark.parametrize("alpha", [-1.0, np.inf, np.nan])
def test_other_alphas_are_refused(alpha):
    with pytest.raises(UserError, match="alpha of 0 or more"):
        similarity_weights(np.ones(1), alpha)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_sum_of_neighbors_against_loops(count, k, seed):
    random = np.random.default_rng(seed)
    vectors, index = random.normal(size=[count, 3]).astype(np.float32), random.normal(size=[6, 3]).astype(np.float32)
    rows, weights = random.integers(6, size=[count, k]), random.normal(size=[count, k])
    expected = vectors.copy()
    for i in range(count):
        for j in range(k):
            expected[i] += weights[i, j] * index[rows[i, j]]
    np.testing.assert_allclose(sum_of_neighbors(vectors, index, rows, weights), expected, atol=1e-5)


def test_blocks_give_the_same_and_nothing_is_written_back(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=[10, 3]).astype(np.float32)
    rows, weights, before = np.roll(np.arange(10), 1)[:, np.newaxis], np.ones((10, 1)), vectors.copy()
    whole = sum_of_neighbors(vectors, vectors, rows, weights)
    monkeypatch.setattr(module, "BLOCK", 3)
    np.testing.assert_array_equal(sum_of_neighbors(vectors, vectors, rows, weights), whole)
    np.testing.assert_array_equal(vectors, before)
    np.testing.assert_allclose(whole, before + before[rows[:, 0]], atol=1e-6)
