"""Nearest index images, the picture itself left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.neighbours import neighbours
from tests.retrieval.made_up import made_up, of


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(1, 14), st.integers(0, 5))
def test_neighbours_are_those_of_a_naive_loop(count, k, seed):
    index = made_up(count, 4, seed)
    queries = of([*index.ids[:2], "x"], [*index.vectors[:2], [1, 2, 3, 4]])
    rows, similarities = neighbours(queries, index, k)
    assert rows.shape == similarities.shape == (3, min(k, count - 1))
    for query in range(3):
        scores = {row: queries.vectors[query] @ index.vectors[row] for row in range(count)
                  if index.ids[row] != queries.ids[query]}
        expected = sorted(scores, key=scores.get, reverse=True)[:rows.shape[1]]
        np.testing.assert_array_equal(rows[query], expected)
        np.testing.assert_allclose(similarities[query], [scores[row] for row in expected], atol=1e-6)


def test_a_copy_with_another_id_is_a_neighbour_and_the_picture_itself_is_not():
    index = of(["copy", "a", "far"], [[1, 0], [1, 0], [0, 1]])
    rows, _ = neighbours(of(["a"], [[1, 0]]), index, 2)
    assert rows.tolist() == [[0, 2]]


def test_all_of_a_small_index_where_no_id_is_shared():
    rows, _ = neighbours(of(["q"], [[1, 0]]), of(["a", "b"], [[0, 1], [1, 0]]), 9)
    assert rows.tolist() == [[1, 0]]


def test_refusals():
    one = of(["a"], [[1, 0]])
    with pytest.raises(UserError, match="fingerprint g"):
        neighbours(of(["q"], [[1, 0]], "g"), one, 1)
    with pytest.raises(UserError, match="dimension 3"):
        neighbours(of(["q"], [[1, 0, 0]]), one, 1)
    with pytest.raises(ValueError, match="received 0"):
        neighbours(one, one, 0)
