"""Alpha and average query expansion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.expansion.alpha_query_expansion import alpha_query_expansion
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
