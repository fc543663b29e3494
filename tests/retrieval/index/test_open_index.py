import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex
from landmark_zoo.retrieval.index.open_index import open_index
from tests.retrieval.index.unit_vectors import names, unit_vectors


def test_every_place_opens_as_what_it_is(tmp_path):
    ids, vectors = names(20), unit_vectors(20)
    EmbeddingSet(ids, vectors, "f").save(tmp_path / "embeddings")
    FaissIndex(16, "f", "hnsw").fit(ids, vectors).save(tmp_path / "hnsw")
    milvus = MilvusIndex(16, "f", str(tmp_path / "lite.db"), "mine").fit(ids, vectors)
    milvus.save(tmp_path / "pointer")
    places = {"embeddings": ExactIndex, "hnsw": FaissIndex, "pointer": MilvusIndex, "lite.db": MilvusIndex}
    for place, kind in places.items():
        index = open_index(tmp_path / place, "mine")
        assert type(index) is kind
        assert index.search(vectors[3:4], 1)[0] == [["image3"]]


def test_no_index_there(tmp_path):
    with pytest.raises(UserError, match=r"index.json or embeddings.json.*received none"):
        open_index(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        open_index(tmp_path / "absent")
    with pytest.raises(UserError, match="no such file"):
        open_index(tmp_path / "absent.db")
    (tmp_path / "index.json").write_text("[1]")
    with pytest.raises(UserError, match="an index at"):
        open_index(tmp_path)
