"""faiss on one machine: exactness, files, memory maps."""

import json

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS
from tests.retrieval.index.unit_vectors import names, unit_vectors

EXACT = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], [-1, 0, 0, 0]], np.float32)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, len(EXACT) - 1), min_size=2, max_size=40), k=st.integers(1, 45), data=st.data())
def test_flat_is_numpy_whatever_was_removed(rows, k, data):
    vectors = EXACT[rows]
    ids = names(len(rows))
    gone = data.draw(st.lists(st.sampled_from(ids), max_size=len(ids) - 1, unique=True))
    index = FaissIndex(4, "f").fit(ids, vectors).remove(gone)
    kept = [row for row, image_id in enumerate(ids) if image_id not in gone]
    expected = np.argsort(-(EXACT @ vectors[kept].T), axis=1, kind="stable")[:, :k]
    assert index.search(EXACT, k)[0] == [[ids[kept[place]] for place in line] for line in expected]


@settings(max_examples=25, deadline=None)
@given(landmarks=st.lists(st.integers(0, 3), min_size=1, max_size=60), wanted=st.sets(st.integers(0, 4)),
       k=st.integers(1, 20))
def test_a_filter_is_a_search_among_those_it_lets_through(landmarks, wanted, k):
    vectors, queries = unit_vectors(len(landmarks)), unit_vectors(3, seed=1)
    for kind in ("flat", "hnsw"):
        index = FaissIndex(16, "f", kind).fit(names(len(landmarks)), vectors, {"landmark": list(map(str, landmarks))})
        found, _ = index.search(queries, k, {"landmark": [str(landmark) for landmark in wanted]})
        rows = [row for row, landmark in enumerate(landmarks) if landmark in wanted]
        expected = np.argsort(-(queries @ vectors[rows].T), axis=1)[:, :k]
        assert found == [[f"image{rows[place]}" for place in line] for line in expected]


@pytest.mark.parametrize("kind", FAISS_KINDS)
def test_memory_mapped_answers_alike_and_cannot_be_changed(kind, tmp_path):
    vectors, queries = unit_vectors(400), unit_vectors(10, seed=1)
    index = FaissIndex(16, "f", kind).fit(names(400), vectors).remove(names(20))
    index.save(tmp_path / "index")
    mapped = FaissIndex.load(tmp_path / "index", memory_map=True)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        assert str(tmp_path / "index" / "index.faiss") in maps.read()
    assert mapped.search(queries, 30)[0] == index.search(queries, 30)[0]
    for change in (lambda: mapped.add(["new"], vectors[:1]), lambda: mapped.remove(["image50"]),
                   lambda: mapped.fit(names(400), vectors)):
        with pytest.raises(UserError, match="memory-mapped"):
            change()


def test_removed_from_a_graph_it_is_not_found_again():
    vectors = unit_vectors(500)
    index = FaissIndex(16, "f", "hnsw").fit(names(500), vectors).remove(names(499))
    assert index.search(vectors[:4], 3)[0] == [["image499"]] * 4


@pytest.mark.parametrize("kind", ["hnsw", "ivfpq"])
def test_many_equal_embeddings_are_all_found(kind):
    vectors = np.repeat(unit_vectors(1), 600, axis=0)
    ids, _ = FaissIndex(16, "f", kind).fit(names(600), vectors).search(vectors[:1], 600)
    assert sorted(ids[0]) == sorted(names(600))


def test_recall_grows_with_what_a_kind_keeps():
    centres = unit_vectors(60, 32)
    random = np.random.default_rng(1)
    vectors = np.repeat(centres, 20, axis=0) + random.normal(size=(1200, 32)).astype(np.float32) * 0.1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries, truth = vectors[::20], None
    recall = {}
    for kind in FAISS_KINDS:
        ids, _ = FaissIndex(32, "f", kind).fit(names(1200), vectors).search(queries, 10)
        truth = truth or ids
        recall[kind] = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids, truth, strict=True)])
    assert recall["flat"] == 1
    assert recall["hnsw"] > 0.95
    assert recall["sq"] > 0.9
    assert 0.3 < recall["ivfpq"] < recall["sq"]


def test_training_first_and_adding_in_parts():
    vectors = unit_vectors(2000)
    index = FaissIndex(16, "f", "ivfpq").train(vectors[:300], size=1_000_000)
    for start in range(0, 2000, 500):
        index.add(names(2000)[start:start + 500], vectors[start:start + 500])
    assert index.search(vectors[7:8], 1)[0] == [["image7"]]


def test_an_untrained_or_unknown_kind_is_refused():
    with pytest.raises(UserError, match="Call fit or train first"):
        FaissIndex(16, "f", "ivfpq").add(["a"], unit_vectors(1))
    with pytest.raises(UserError, match=r"at least 256 embeddings.*received 255"):
        FaissIndex(16, "f", "ivfpq").fit(names(255), unit_vectors(255))
    with pytest.raises(UserError, match="flat, ivfpq, hnsw, sq; received 'lsh'"):
        FaissIndex(16, "f", "lsh")


def test_provenance_is_kept(tmp_path):
    index = FaissIndex(16, "f").fit(names(3), unit_vectors(3))
    index.provenance = {"made_of": "three"}
    index.save(tmp_path / "index")
    assert FaissIndex.load(tmp_path / "index").provenance == {"made_of": "three"}


def spoil_ids(folder):
    text = (folder / "ids.csv").read_text()
    (folder / "ids.csv").write_text(text.replace("image3", "imageX"))


def spoil_length(folder):
    data = (folder / "index.faiss").read_bytes()
    (folder / "index.faiss").write_bytes(data[:-7])


def spoil_bytes(folder):
    data = (folder / "index.faiss").read_bytes()
    (folder / "index.faiss").write_bytes(bytes(len(data)))


def spoil_other_index(folder):
    index = faiss.IndexIDMap(faiss.IndexFlatIP(16))
    index.add_with_ids(unit_vectors(300), np.arange(300))
    faiss.write_index(index, str(folder / "index.faiss"))


def spoil_dimension(folder):
    facts = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**facts, "dimension": 17}))


def spoil_facts(folder):
    (folder / "index.json").write_text("[]")


@pytest.mark.parametrize(("spoil", "message"), [
    (spoil_ids, "ids.csv that is not the one of index.faiss"),
    (spoil_length, r"index.faiss of \d+ bytes instead of"),
    (spoil_bytes, "unreadable index.faiss"),
    (spoil_other_index, r"bytes instead of|vectors_in_faiss 300 instead of 299"),
    (spoil_dimension, "dimension 16 instead of 17"),
    (spoil_facts, "an index at"),
    (lambda folder: (folder / "ids.csv").unlink(), "ids.csv"),
    (lambda folder: (folder / "index.json").unlink(), "index.json"),
])
@pytest.mark.parametrize("memory_map", [False, True])
def test_files_that_do_not_fit_are_refused(spoil, message, memory_map, tmp_path):
    FaissIndex(16, "f").fit(names(299), unit_vectors(299)).save(tmp_path / "index")
    spoil(tmp_path / "index")
    with pytest.raises(UserError, match=message):
        FaissIndex.load(tmp_path / "index", memory_map)


@pytest.mark.parametrize("kind", FAISS_KINDS)
def test_no_byte_can_be_changed_unseen(kind, tmp_path):
    FaissIndex(16, "f", kind).fit(names(256), unit_vectors(256)).save(tmp_path / "index")
    random = np.random.default_rng(0)
    for name in ("index.faiss", "ids.csv", "index.json"):
        path = tmp_path / "index" / name
        whole = path.read_bytes()
        places = {0, 5, len(whole) - 1, *random.integers(0, len(whole), 25).tolist()}
        for place in places:
            for flip in (1, 32):
                path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1:])
                with pytest.raises(UserError):
                    FaissIndex.load(tmp_path / "index", memory_map=True)
        path.write_bytes(whole + b"\n")
        with pytest.raises(UserError):
            FaissIndex.load(tmp_path / "index")
        path.write_bytes(whole)
    FaissIndex.load(tmp_path / "index")


def test_no_byte_of_the_facts_can_be_changed_unseen(tmp_path):
    index = FaissIndex(16, "f").fit(["a"], unit_vectors(1))
    index.provenance = {"embeddings": {"é": {"share": 0.1, "list": [1, 2]}}}
    index.save(tmp_path / "index")
    path = tmp_path / "index/index.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:])
        with pytest.raises(UserError):
            FaissIndex.load(tmp_path / "index")


def test_an_index_of_an_earlier_release_is_read_with_a_warning(tmp_path, caplog):
    FaissIndex(16, "f").fit(names(9), unit_vectors(9)).save(tmp_path / "index")
    facts = json.loads((tmp_path / "index/index.json").read_text())
    del facts["faiss_sha256"], facts["checksum"]
    (tmp_path / "index/index.json").write_text(json.dumps(facts))
    assert len(FaissIndex.load(tmp_path / "index")) == 9
    assert "of an earlier release and has no checksum" in caplog.text


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    index = FaissIndex(16, "f").fit(names(9), unit_vectors(9))

    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr("landmark_zoo.retrieval.index.faiss_kinds.write_csv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.save(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise RuntimeError("Error in faiss\nwrite error: No space left on device")
    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(UserError, match="No space left on device"):
        FaissIndex(16, "f").fit(names(9), unit_vectors(9)).save(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []
