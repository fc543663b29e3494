import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import claim_path
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index import build as module
from landmark_zoo.retrieval.index.build import build_index, open_index
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex
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
    with pytest.raises(UserError, match="not written to its end"):
        open_index(uri).search(unit_vectors(1), 1)
    with pytest.raises(UserError, match="received others"):
        build_index(folders[1:], "milvus", uri)
    resumed = build_index(folders, "milvus", uri)
    exact = FaissIndex(16, "f").fit(names(200), unit_vectors(200)).add(names(100, "far"), unit_vectors(100, seed=1))
    assert len(resumed) == 300
    assert resumed.search(unit_vectors(9, seed=2), 300)[0] == exact.search(unit_vectors(9, seed=2), 300)[0]


def test_milvus_takes_embeddings_and_landmarks_of_today_and_names_others(folders, tmp_path, caplog):
    uri = str(tmp_path / "lite.db")
    build_index(folders, "milvus", uri, {"image3": "arch"})
    today = unit_vectors(200)
    today[7] = unit_vectors(300)[299]
    EmbeddingSet(names(200), today, "f").save(tmp_path / "again" / "index")
    index = build_index([tmp_path / "again" / "index"], "milvus", uri, {"image4": "arch"})
    exact = FaissIndex(16, "f").fit(names(200), today).add(names(100, "far"), unit_vectors(100, seed=1))
    assert index.search(today[5:9], 300)[0] == exact.search(today[5:9], 300)[0]
    assert index.search(today[:1], 5, {"landmark": "arch"})[0] == [["image4"]]
    assert "holds 100 images besides these 200" in caplog.text


def test_of_two_builds_the_second_ends_at_once(folders, tmp_path):
    with claim_path(tmp_path / "built"), pytest.raises(UserError, match="a run that is using it"):
        build_index(folders, "flat", tmp_path / "built")


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
