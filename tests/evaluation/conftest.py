"""A tiny exported model, and embeddings that give a chosen ranking."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_TINY = Path(__file__).parents[1] / "retrieval" / "tiny_saved_model.py"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> EmbeddingModel:
    """A tiny exported model."""
    write = runpy.run_path(str(_TINY))["write_tiny_saved_model"]
    return EmbeddingModel(write(tmp_path_factory.mktemp("models") / "tiny" / "1"))


@pytest.fixture
def planted():
    """A function from scores to embeddings whose dot products are these scores.

    Query q is the q-th axis; each index image has its scores on the first axes and on one more what makes its length 1.
    """
    def plant(query_ids, index_ids, scores: np.ndarray, **provenance) -> tuple[EmbeddingSet, EmbeddingSet]:
        scores = np.asarray(scores, np.float64)
        scores = scores / (1.01 * max(1.0, np.linalg.norm(scores, axis=0).max()))
        rest = np.sqrt(1 - np.square(scores).sum(axis=0))
        index = np.concatenate([scores.T, rest[:, np.newaxis]], axis=1).astype(np.float32)
        queries = np.eye(len(query_ids), len(query_ids) + 1, dtype=np.float32)
        return (EmbeddingSet(list(query_ids), queries, "f" * 64, provenance),
                EmbeddingSet(list(index_ids), index, "f" * 64, provenance))
    return plant
