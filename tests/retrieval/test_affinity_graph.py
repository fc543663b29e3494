"""The graph under diffusion."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.affinity_graph import affinity_graph
from landmark_zoo.retrieval.neighbours import neighbours
from tests.retrieval.made_up import made_up


def test_numbers_worked_out_by_hand():
    rows, similarities = np.array([[1, 2], [0, 2], [1, 0]]), np.array([[0.5, -0.3], [0.5, 0.2], [0.2, -0.3]])
    graph = affinity_graph(rows, similarities, gamma=1).toarray()
    np.testing.assert_allclose(graph, [[0, 0.845154, 0], [0.845154, 0, 0.534522], [0, 0.534522, 0]], atol=1e-6)


def test_a_neighbour_on_one_side_only_is_none():
    rows, similarities = np.array([[1], [0], [0]]), np.array([[0.9], [0.9], [0.8]])
    assert affinity_graph(rows, similarities).nnz == 2


def test_an_image_is_no_neighbour_of_itself():
    graph = affinity_graph(np.array([[0, 1], [1, 0]]), np.array([[1.0, 0.5], [1.0, 0.5]]))
    np.testing.assert_allclose(graph.toarray(), [[0, 1], [1, 0]])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(0, 99))
def test_against_loops(count, k, seed):
    rows, similarities = neighbours(made_up(count, 4, seed), made_up(count, 4, seed), k)
    weights = np.zeros((count, count))
    for i in range(count):
        for place, j in enumerate(rows[i]):
            if i in rows[j]:
                weights[i, j] = max(float(similarities[i, place]), 0) ** 3
    degrees = weights.sum(axis=1)
    expected = np.zeros_like(weights)
    for i, j in zip(*weights.nonzero(), strict=True):
        expected[i, j] = weights[i, j] / np.sqrt(degrees[i] * degrees[j])
    graph = affinity_graph(rows, similarities).toarray()
    np.testing.assert_allclose(graph, expected, atol=1e-5)
    np.testing.assert_allclose(graph, graph.T, atol=1e-15)
    assert np.abs(np.linalg.eigvalsh(graph)).max() < 1 + 1e-9  # so that I - alpha S can be solved
