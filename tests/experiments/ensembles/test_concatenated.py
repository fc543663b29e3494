"""Ensembles of embeddings."""

import numpy as np
import pytest

from experiments.ensembles.concatenated import concatenated
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def made(name, dimension, ids="abcd", **provenance):
    vectors = np.random.default_rng(len(name)).normal(size=(len(ids), dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet(list(ids), vectors, name, {"photographs_sha256": "p", "model": {
        "name": name, "side": 64, "training_data": f"set {name}"}, **provenance})


def test_weighted_mean_of_cosines():
    one, two = made("x", 3), made("yy", 5)
    both = concatenated([one, two], [3, 1])
    expected = 0.75 * one.vectors @ one.vectors.T + 0.25 * two.vectors @ two.vectors.T
    np.testing.assert_allclose(both.vectors @ both.vectors.T, expected, atol=1e-6)
    info = both.provenance["model"]
    assert (info["name"], info["side"], info["training_data"]) == ("x + yy", 64, "set x; set yy")
    assert both.model_fingerprint not in (one.model_fingerprint, two.model_fingerprint)
    assert concatenated([one, two]).model_fingerprint != both.model_fingerprint


def test_one_set_comes_back():
    one = made("x", 3)
    assert concatenated([one]) is one


def test_photographs_that_one_member_lacks_are_left_out():
    assert concatenated([made("x", 3), made("yy", 5, "bda")]).ids == ["a", "b", "d"]


def test_other_photographs():
    with pytest.raises(UserError, match="members' embeddings with one photographs_sha256; received p, q"):
        concatenated([made("x", 3), made("yy", 5, photographs_sha256="q")])
