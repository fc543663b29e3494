"""Database augmentation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.expansion.database_augmentation import database_augmentation
from tests.retrieval.made_up import made_up, of


def test_numbers_worked_out_by_hand():
    index = of(["a", "b", "c"], [[1, 0], [0.8, 0.6], [0, 1]])
    augmented = database_augmentation(index, neighbours=1)
    sums = np.array([[1 + 0.4, 0.3], [0.8 + 0.5, 0.6], [0.4, 1 + 0.3]])  # the neighbour counts (2 - 1) / 2
    np.testing.assert_allclose(augmented.vectors, sums / np.linalg.norm(sums, axis=1, keepdims=True), atol=1e-6)
    assert augmented.provenance["steps"] == ["database augmentation: 1 neighbours, weights by place"]
    assert augmented.model_fingerprint == "f"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 14), st.sampled_from([None, 0, 1, 3]), st.integers(0, 99))
def test_against_loops(count, neighbours, alpha, seed):
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
