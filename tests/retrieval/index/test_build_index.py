import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index import build_index as module
from landmark_zoo.retrieval.index.build_index import build_index
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex
from landmark_zoo.retrieval.index.open_index import open_index
from tests.retrieval.index.unit_vectors import names, unit_vectors


@pytest.fixture
def folders(tmp_path):
    EmbeddingSet(names(200), unit_vectors(200), "f", {"photographs": 200}).save(tmp_path / "index")
    EmbeddingSet(names(100, "far"), unit_vectors(100, seed=1), "f").save(tmp_path / "distractors")
    return [tmp_path / "index", tmp_path / "distractors"]


@pytest.mark.parametrize("kind", [*FAISS_KINDS, "milvus"])
def test_sets_become_one_index_with_fields(kind, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 70)
    output = tmp_path / ("lite.db" if kind == "milvus" else "built")
    build_index(folders, kind, output, {"image3": "arch"})
    index = open_index(output)
    assert len(index) == 300
    assert index.search(unit_vectors(5)[3:4], 1)[0] == [["image3"]]
    assert index.search(unit_vectors(1), 5, {"landmark": "arch"})[0] == [["image3"]]
    assert all(image_id.startswith("far") for image_id in index.search(unit_vectors(1), 5, {"source": "distractors"})[0][0])
    if kind != "milvus":
        assert index.provenance["embeddings"] == {"index": {"photographs": 200}, "distractors": {}}


def test_a_sample_is_enough_for_training(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRAINING_SAMPLE", 270)
    assert len(build_index(folders, "ivfpq", tmp_path / "built")) == 300


def interrupt(monkeypatch, kind, after):
    """Makes the `after`-th call of `add` fail."""
    add, calls = kind.add, []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == after:
            raise KeyboardInterrupt
        return add(*args, **kwargs)
    monkeypatch.setattr(kind, "add", failing)


def test_milvus_goes_on_where_it_was_interrupted(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 50)
    uri = str(tmp_path / "lite.db")
    with monkeypatch.context() as patch:
        interrupt(patch, MilvusIndex, 3)
        with pytest.raises(KeyboardInterrupt):
            build_index(folders, "milvus", uri)
    assert len(MilvusIndex.open(uri)) == 100
    resumed = build_index(folders, "milvus", uri)
    exact = FaissIndex(16, "f").fit(names(200), unit_vectors(200)).add(names(100, "far"), unit_vectors(100, seed=1))
    assert len(resumed) == 300
    assert resumed.search(unit_vectors(9, seed=2), 300)[0] == exact.search(unit_vectors(9, seed=2), 300)[0]


def test_an_interrupted_build_of_faiss_leaves_nothing(folders, tmp_path, monkeypatch):
    before = sorted(tmp_path.iterdir())
    interrupt(monkeypatch, FaissIndex, 2)
    with pytest.raises(KeyboardInterrupt):
        build_index(folders, "flat", tmp_path / "built")
    assert sorted(tmp_path.iterdir()) == before


def test_refusals(folders, tmp_path):
    EmbeddingSet(["a"], unit_vectors(1), "g").save(tmp_path / "other_model")
    EmbeddingSet(["a"], unit_vectors(1, 8), "f").save(tmp_path / "other_dimension")
    EmbeddingSet(["image7"], unit_vectors(1), "f").save(tmp_path / "again")
    for extra, message in [("other_model", "Embed both with the same model"), ("other_dimension", "received dimension 8"),
                           ("again", "image7 in .*again and in one before it"), ("absent", "embeddings.json")]:
        with pytest.raises(UserError, match=message):
            build_index([*folders, tmp_path / extra], "flat", tmp_path / "built")
    with pytest.raises(UserError, match="one that exists"):
        build_index(folders, "flat", tmp_path / "index")
    with pytest.raises(UserError, match="ends in"):
        build_index(folders, "milvus", tmp_path / "built")
    with pytest.raises(UserError, match="received none"):
        build_index([], "flat", tmp_path / "built")
    assert not (tmp_path / "built").exists()
