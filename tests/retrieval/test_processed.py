"""Embeddings after a step."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.processed import processed
from tests.retrieval.made_up import of


def test_vectors_get_length_1_and_steps_are_listed_in_order():
    two = of(["a", "b"], [[1, 0], [0, 1]])
    after_first = processed(two, np.array([[3.0, 4.0], [0, -2]]), "first")
    np.testing.assert_allclose(after_first.vectors, [[0.6, 0.8], [0, -1]], atol=1e-7)
    after = processed(after_first, two.vectors, "second")
    assert after.provenance["steps"] == ["first", "second"]
    assert (after.ids, after.model_fingerprint) == (two.ids, "f")
    assert "steps" not in two.provenance


def test_a_vector_without_a_direction_is_refused():
    with pytest.raises(UserError, match="length 0"):
        processed(of(["a"], [[1, 0]]), np.zeros((1, 2)), "x")
