"""Choosing a benchmark's embeddings."""

from types import SimpleNamespace

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.aligned import aligned
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

TOY = SimpleNamespace(name="toy", query_ids=("q1", "q2"), index_ids=("a", "b", "c"), ground_truth_sha256="")


def embeddings(*ids, fingerprint="f", dimension=8):
    return EmbeddingSet(list(ids), np.eye(len(ids), dimension, dtype=np.float32), fingerprint)


def test_order_is_the_benchmarks_and_others_are_left_aside():
    queries, index = aligned(TOY, embeddings("a", "q2", "q1"), embeddings("x", "c", "b", "a"))
    assert (queries.ids, index.ids) == (["q1", "q2"], ["a", "b", "c"])


def test_missing_ones_are_named(caplog):
    queries, index = aligned(TOY, embeddings("q1"), embeddings("a", "b"))
    assert (queries.ids, index.ids) == (["q1"], ["a", "b"])
    assert "1 of 2 queries have no embedding and count as not found, first q2" in caplog.text
    assert "1 of 3 index images" in caplog.text


def test_two_models_are_refused():
    with pytest.raises(UserError, match="fingerprint"):
        aligned(TOY, embeddings("q1"), embeddings("a", fingerprint="g"))
    with pytest.raises(UserError, match="dimension"):
        aligned(TOY, embeddings("q1"), embeddings("a", dimension=4))


def test_embeddings_of_something_else_are_refused():
    with pytest.raises(UserError, match="queries of toy, such as q1; received 1 of others, such as x"):
        aligned(TOY, embeddings("x"), embeddings("a"))
    with pytest.raises(UserError, match="index images of toy, such as a"):
        aligned(TOY, embeddings("q1"), embeddings("x"))
