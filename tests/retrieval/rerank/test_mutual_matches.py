import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.rerank.mutual_matches import mutual_matches


def unit(rows, columns, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive(query, candidate, ratio):
    pairs = []
    for i, vector in enumerate(query):
        distances = np.linalg.norm(candidate.astype(float) - vector, axis=1)
        order = np.argsort(distances)
        back = np.argmin(np.linalg.norm(query.astype(float) - candidate[order[0]], axis=1))
        if distances[order[0]] <= ratio * distances[order[1]] and back == i:
            pairs.append((i, order[0]))
    return pairs


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(2, 12), st.sampled_from([0.7, 0.8, 0.95, 1.0]), st.integers(0, 1000))
def test_equals_naive_loops(rows, others, ratio, seed):
    query, candidate = unit(rows, 5, seed), unit(others, 5, seed + 1)
    assert [tuple(pair) for pair in mutual_matches(query, candidate, ratio)] == naive(query, candidate, ratio)


def test_a_set_matches_itself():
    vectors = unit(30, 16, 0)
    assert (mutual_matches(vectors, vectors, 0.8) == np.arange(30)[:, np.newaxis]).all()


def test_many_to_one_is_one():
    query = np.array([[1, 0], [0.99, 0.141], [0.98, 0.199]], np.float32)
    candidate = np.array([[1, 0], [-1, 0]], np.float32)
    assert mutual_matches(query, candidate, 0.8).tolist() == [[0, 0]]


def test_too_few():
    assert mutual_matches(unit(0, 4, 0), unit(5, 4, 0), 0.8).shape == (0, 2)
    assert mutual_matches(unit(5, 4, 0), unit(1, 4, 0), 0.8).shape == (0, 2)


def test_features_of_two_lengths():
    with pytest.raises(ValueError, match="one length; received 4 and 5"):
        mutual_matches(unit(3, 4, 0), unit(3, 5, 0), 0.8)
