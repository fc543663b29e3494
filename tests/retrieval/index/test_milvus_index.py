"""Milvus Lite: what only it does; the rest is in test_index.py."""

import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index import milvus_index
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.milvus_client import connect_milvus
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex
from tests.retrieval.index.unit_vectors import names, unit_vectors


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return str(tmp_path_factory.mktemp("milvus") / "folder" / "lite.db")


def test_ranks_and_ties_are_those_of_faiss(uri, monkeypatch):
    monkeypatch.setattr(milvus_index, "BATCH", 130)
    random = np.random.default_rng(0)
    vectors = unit_vectors(40)[random.integers(0, 40, 200)]  # many equal scores
    queries = np.concatenate([unit_vectors(95, seed=1), vectors[:10]])
    exact = FaissIndex(16, "f").fit(names(200), vectors)
    milvus = MilvusIndex(16, "f", uri, "ties").fit(names(200), vectors)
    for k in (1, 30):
        expected, found = exact.search(queries, k), milvus.search(queries, k)
        np.testing.assert_allclose(found[1], expected[1], atol=1e-6)
        assert found[0] == expected[0]


def test_opened_again_it_is_as_it_was_left(uri):
    MilvusIndex(16, "f", uri, "kept").fit(names(5), unit_vectors(5), {"landmark": list("aabbb")})
    again = MilvusIndex.open(uri, "kept")
    assert (again.dimension, again.model_fingerprint, len(again)) == (16, "f", 5)
    assert MilvusIndex(16, "f", uri, "kept").search(unit_vectors(1), 9, {"landmark": "a"})[0][0] == ["image0", "image1"]


def test_another_model_or_another_makers_collection_is_refused(uri):
    MilvusIndex(16, "f", uri, "ours")
    with pytest.raises(UserError, match="dimension 16; received dimension 8"):
        MilvusIndex(8, "f", uri, "ours")
    with pytest.raises(UserError, match="fingerprint f; received fingerprint g"):
        MilvusIndex(16, "g", uri, "ours")
    connect_milvus(uri).create_collection("theirs", dimension=16)
    with pytest.raises(UserError, match="theirs, which something else made"):
        MilvusIndex.open(uri, "theirs")
    with pytest.raises(UserError, match=r"the collection absent in .*; received none of that name"):
        MilvusIndex.open(uri, "absent")


def test_a_saved_place_whose_collection_was_replaced_is_refused(uri, tmp_path):
    MilvusIndex(16, "f", uri, "replaced").fit(names(5), unit_vectors(5)).save(tmp_path / "index")
    connect_milvus(uri).drop_collection("replaced")
    MilvusIndex(16, "g", uri, "replaced")
    with pytest.raises(UserError, match="Embed both with the same model"):
        MilvusIndex.load(tmp_path / "index")
    (tmp_path / "index" / "index.json").write_text(json.dumps({"kind": "milvus"}))
    with pytest.raises(UserError, match="no 'uri'"):
        MilvusIndex.load(tmp_path / "index")


def test_limits_of_milvus_are_named(uri):
    index = MilvusIndex(16, "f", uri, "limits").fit(names(5), unit_vectors(5))
    with pytest.raises(UserError, match="at most 16384 results from Milvus; received k = 16385"):
        index.search(unit_vectors(1), 16385)
    for ids in (["é" * 513], ["a" * 1025]):
        with pytest.raises(UserError, match="at most 1024 bytes"):
            index.fit(ids, unit_vectors(1))
    assert len(index) == 5
