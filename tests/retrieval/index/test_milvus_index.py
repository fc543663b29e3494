import json
import subprocess
import sys

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index import milvus_index
from landmark_zoo.retrieval.index import milvus_index as milvus_client
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex, connect_milvus, is_milvus_uri, milvus_any, milvus_filter
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


def test_scores_apart_by_rounding_alone_are_equal():
    def hits(*pairs):
        return [{"id": str(inserted), "distance": score, "entity": {"inserted": inserted}} for score, inserted in pairs]
    noise = milvus_index.SCORE_NOISE
    found = milvus_index._ordered(hits((0.5 - noise, 1), (0.5, 2), (0.9, 5), (0.5 - 2 * noise, 0)))
    assert [(hit["id"], hit["distance"]) for hit in found] == [("5", 0.9), ("1", 0.5), ("2", 0.5), ("0", 0.5 - 2 * noise)]


def test_opened_again_it_is_as_it_was_left(uri):
    MilvusIndex(16, "f", uri, "kept").fit(names(5), unit_vectors(5), {"landmark": list("aabbb")})
    again = MilvusIndex.open(uri, "kept")
    assert (again.dimension, again.model_fingerprint, len(again)) == (16, "f", 5)
    assert MilvusIndex(16, "f", uri, "kept").search(unit_vectors(1), 9, {"landmark": "a"})[0][0] == ["image0", "image1"]


def test_an_id_with_quotes_is_removed_and_no_other(uri):
    ids = ["plain", 'a"b', "c' or id != '", "d\\"]
    index = MilvusIndex(16, "f", uri, "quotes").fit(ids, unit_vectors(4))
    for number, name in enumerate(ids[1:], start=1):
        index.remove([name])
        assert len(index) == 4 - number
    assert index.known(ids) == {"plain"}


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


def test_a_saved_place_that_was_changed_is_refused(uri, tmp_path):
    for name in ("one", "two"):
        MilvusIndex(16, "f", uri, name).fit(names(5), unit_vectors(5)).save(tmp_path / name)
    path = tmp_path / "one/index.json"
    path.write_text(path.read_text().replace('"one"', '"two"'))
    with pytest.raises(UserError, match=r"index\.json that was changed after it was written"):
        MilvusIndex.load(tmp_path / "one")


def test_what_was_not_written_to_its_end_is_not_searched(uri, monkeypatch, caplog):
    index = MilvusIndex(16, "f", uri, "half")
    monkeypatch.setattr(milvus_index, "BATCH", 3)

    def add(ids, vectors, **how):
        insert, calls = index._client.insert, []
        with monkeypatch.context() as patch:
            def killed(*args):
                calls.append(1)
                if len(calls) == 2:
                    raise KeyboardInterrupt
                return insert(*args)
            patch.setattr(index._client, "insert", killed)
            with pytest.raises(KeyboardInterrupt):
                index.add(ids, vectors, **how)
    add(names(7), unit_vectors(7))
    again = MilvusIndex.open(uri, "half")
    assert len(again) == 3
    with pytest.raises(UserError, match="one that was not written to its end"):
        again.search(unit_vectors(1), 1)
    with pytest.raises(UserError, match="was interrupted; received others"):
        again.add(["z"], unit_vectors(1))
    again.add(names(7), unit_vectors(7), skip_known=True)
    assert index.search(unit_vectors(1), 7)[1].shape == (1, 7)
    index._client.drop_collection_properties("half", [milvus_index.UNFINISHED])
    MilvusIndex.open(uri, "half").search(unit_vectors(1), 1)
    assert "of an earlier release" in caplog.text


def test_known_images_get_new_embeddings_and_fields_and_keep_their_place(uri):
    vectors = np.repeat(unit_vectors(1), 4, axis=0)
    index = MilvusIndex(16, "f", uri, "renewed").fit(names(4), vectors, {"landmark": ["a"] * 4})
    changed = vectors.copy()
    changed[2] = unit_vectors(2)[1]
    index.add([*names(4), "new"], np.concatenate([changed, vectors[:1]]),
              {"landmark": ["a", "b", "a", "a", "c"]}, replace_known=True)
    assert index.search(vectors[:1], 4)[0] == [["image0", "image1", "image3", "new"]]
    assert index.search(changed[2:3], 1)[0] == [["image2"]]
    assert index.search(vectors[:1], 5, {"landmark": "b"})[0] == [["image1"]]
    assert len(index) == 5


def test_limits_of_milvus_are_named(uri):
    index = MilvusIndex(16, "f", uri, "limits").fit(names(5), unit_vectors(5))
    with pytest.raises(UserError, match="at most 16384 results from Milvus; received k = 16385"):
        index.search(unit_vectors(1), 16385)
    for ids in (["é" * 513], ["a" * 1025]):
        with pytest.raises(UserError, match="at most 1024 bytes"):
            index.fit(ids, unit_vectors(1))
    assert len(index) == 5


HOLD = """
import sys
from landmark_zoo.retrieval.index.milvus_index import connect_milvus
connect_milvus(sys.argv[1], create=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_uris():
    assert is_milvus_uri("http://host:19530")
    assert is_milvus_uri("runs/index.db")
    assert not is_milvus_uri("runs/index")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"ends in \.db; received runs/index"):
        connect_milvus("runs/index")
    with pytest.raises(UserError, match="no such file"):
        connect_milvus(str(tmp_path / "absent.db"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(UserError, match="Check the path"):
        connect_milvus(str(tmp_path / "text.db"))


def test_a_server_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setattr(milvus_client, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="Check the URI and that the server runs"):
        connect_milvus("http://127.0.0.1:1")


def test_without_the_packages_the_error_says_what_to_install(monkeypatch, tmp_path):
    for package in ("pymilvus", "milvus_lite"):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(UserError, match=r"Install them: pip install .*\[milvus\]"):
            connect_milvus(str(tmp_path / "new.db"), create=True)


def test_files_that_another_process_has_open_are_refused(root, tmp_path):
    uri = str(tmp_path / "held.db")
    holder = subprocess.Popen([sys.executable, "-c", HOLD, uri], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(UserError, match="no other process has it open"):
            connect_milvus(uri)
    finally:
        holder.communicate()


def test_filters():
    assert milvus_filter({}) == ""
    assert milvus_filter({"landmark": ["4", "17"], "source": ["é"]}) == 'landmark in ["4", "17"] and source in ["é"]'


def test_quotes_and_backslashes_cannot_end_a_text():
    assert milvus_any("id", ['a"] or id in ["b', "c\\"]) == r'id in ["a\"] or id in [\"b", "c\\"]'
