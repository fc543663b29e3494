import numpy as np
import pytest

from landmark_zoo.retrieval import nearest_others as module
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.nearest_others import nearest_others


def embeddings(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet([f"p{number}" for number in range(count)], vectors, "f")


def test_goes_with_comparing_all_with_all():
    found = embeddings(40)
    similarities = found.vectors @ found.vectors.T
    np.fill_diagonal(similarities, -9)
    np.testing.assert_array_equal(nearest_others(found, 5), np.argsort(-similarities, axis=1)[:, :5])


def test_equal_ones_are_not_taken_for_the_picture_itself():
    vectors = np.zeros((3, 8), np.float32)
    vectors[:, 0] = 1
    rows = nearest_others(EmbeddingSet(["a", "b", "c"], vectors, "f"), 2)
    assert [set(row) for row in rows.tolist()] == [{1, 2}, {0, 2}, {0, 1}]


@pytest.mark.parametrize(("count", "columns"), [(1, 0), (3, 2)])
def test_fewer_where_there_are_fewer(count, columns):
    assert nearest_others(embeddings(count), 5).shape == (count, columns)


def test_many_are_searched_by_a_graph(monkeypatch):
    found = embeddings(300)
    exact = nearest_others(found, 5)
    monkeypatch.setattr(module, "EXACT_UP_TO", 10)
    nearly = nearest_others(found, 5)
    assert (nearly != np.arange(300)[:, np.newaxis]).all()
    assert np.mean([len(set(one) & set(other)) for one, other in zip(exact, nearly, strict=True)]) > 4.5
