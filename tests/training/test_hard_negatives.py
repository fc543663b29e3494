"""Exact search for hard negatives against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.training import hard_negatives
from landmark_zoo.training.hard_negatives import hardest_negatives


def loops(queries, query_labels, pool, pool_labels, count):
    found = []
    for query, label in zip(queries, query_labels, strict=True):
        nearest, taken = [], {label}
        for place in np.argsort(-(pool @ query), kind="stable"):
            if pool_labels[place] not in taken and len(nearest) < count:
                taken.add(pool_labels[place])
                nearest.append(place)
        found.append(nearest)
    return np.array(found)


def unit(random, *shape):
    vectors = random.normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(5, 9))
def test_as_loops_do(seed, count, landmarks):
    random = np.random.default_rng(seed)
    labels = random.permutation(np.concatenate([np.arange(landmarks), random.integers(0, landmarks, 40)]))
    pool, queries, query_labels = unit(random, len(labels), 3), unit(random, 7, 3), random.integers(0, landmarks, 7)
    np.testing.assert_array_equal(hardest_negatives(queries, query_labels, pool, labels, count),
                                  loops(queries, query_labels, pool, labels, count))


def test_in_blocks(monkeypatch):
    random = np.random.default_rng(0)
    data = unit(random, 11, 4), random.integers(0, 6, 11), unit(random, 30, 4), np.arange(30) % 6, 3
    whole = hardest_negatives(*data)
    monkeypatch.setattr(hard_negatives, "QUERIES_AT_ONCE", 4)
    np.testing.assert_array_equal(hardest_negatives(*data), whole)


def test_equal_similarities():
    """Twins: the smallest label first, and of one landmark the first in the pool."""
    pool = np.array([[1, 0]] * 5, np.float32)
    assert hardest_negatives(pool[:1], np.array([3]), pool, np.array([9, 7, 7, 3, 9]), 2).tolist() == [[1, 0]]


def test_too_few_landmarks():
    pool = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="received 3 and 3 landmarks"):
        hardest_negatives(pool[:1], np.array([0]), pool, np.arange(3), 3)
