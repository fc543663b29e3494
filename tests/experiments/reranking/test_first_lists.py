import numpy as np
import pytest

from experiments.reranking.first_lists import first_lists
from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

BENCHMARK = Gldv2Benchmark("b", ("q", "missing"), ("x", "y"), {}, {}, 0, "0")
INDEX = EmbeddingSet(["y", "x", "of another"], np.array([[0.6, 0.8], [1, 0], [1, 0]], np.float32), "f")


def test_lists_stand_by_falling_score_and_hold_only_the_benchmark():
    lists = first_lists(BENCHMARK, EmbeddingSet(["q"], np.array([[1, 0]], np.float32), "f"), INDEX)
    assert list(lists) == ["q"]
    assert lists["q"].ids == ["x", "y"]
    np.testing.assert_allclose(lists["q"].scores, [1, 0.6])


def test_embeddings_of_two_models():
    with pytest.raises(UserError, match="fingerprint"):
        first_lists(BENCHMARK, EmbeddingSet(["q"], np.array([[1, 0]], np.float32), "g"), INDEX)
