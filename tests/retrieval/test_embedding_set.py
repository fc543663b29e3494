import errno
import json
import os

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import claim_path, read_json, write_json
from landmark_zoo.retrieval.embedding_set import EmbeddingSet, check_same_model, validate_embeddings, with_vectors
from tests.retrieval.made_up import of

VECTORS = np.eye(3, 4, dtype=np.float32)


@pytest.fixture
def three():
    return EmbeddingSet(["a", "b", "ü,c"], VECTORS, "f" * 64, {"skipped": 0})


def test_save_and_load_give_the_same(three, tmp_path):
    three.save(tmp_path / "set")
    loaded = EmbeddingSet.load(tmp_path / "set")
    assert loaded.ids == three.ids
    np.testing.assert_array_equal(loaded.vectors, VECTORS)
    assert (loaded.model_fingerprint, loaded.provenance) == ("f" * 64, {"skipped": 0})
    assert (len(loaded), loaded.dimension) == (3, 4)
    assert json.loads((tmp_path / "set/embeddings.json").read_text())["count"] == 3


def test_finished_set_is_not_overwritten(three, tmp_path):
    three.save(tmp_path)
    with pytest.raises(UserError, match="finished ones"):
        three.save(tmp_path)


def test_select_keeps_the_order_asked_for(three):
    chosen = three.select(["ü,c", "unknown", "a"])
    assert chosen.ids == ["ü,c", "a"]
    np.testing.assert_array_equal(chosen.vectors, VECTORS[[2, 0]])
    assert len(three.select([])) == 0
    assert three.select(("a", "b", "ü,c")).ids == three.ids


@pytest.mark.parametrize(("fault", "message"), [(np.nan, "for b; received an embedding with NaN"), (0.5, "for b")])
def test_bad_embedding_names_its_id(fault, message):
    vectors = VECTORS.copy()
    vectors[1] = fault if np.isnan(fault) else [fault, 0, 0, 0]
    with pytest.raises(UserError, match=message):
        EmbeddingSet(["a", "b", "c"], vectors, "f")


def test_duplicate_id_is_named():
    with pytest.raises(UserError, match="b twice"):
        EmbeddingSet(["a", "b", "b"], VECTORS, "f")


@pytest.mark.parametrize("vectors", [VECTORS[:2], VECTORS.astype(np.float64), VECTORS[0]])
def test_shapes_must_fit(vectors):
    with pytest.raises(ValueError, match=r"Expected float32 embeddings \[3, D\]; received"):
        EmbeddingSet(["a", "b", "c"], vectors, "f")


def test_other_models_are_refused(three):
    three.check_model(4, "f" * 64)
    with pytest.raises(UserError, match="dimension 5"):
        three.check_model(5, "f" * 64)
    with pytest.raises(UserError, match="fingerprint gggg"):
        three.check_model(4, "g" * 64)


def test_unfinished_set_is_refused(three, tmp_path):
    three.save(tmp_path)
    os.remove(tmp_path / "embeddings.json")
    with pytest.raises(UserError, match=r"embeddings\.json"):
        EmbeddingSet.load(tmp_path)


@pytest.mark.parametrize("spoil", [
    lambda folder: np.save(folder / "embeddings.npy", VECTORS[:2]),
    lambda folder: (folder / "embeddings.npy").write_bytes(b""),
    lambda folder: (folder / "embeddings.json").write_text("{}"),
    lambda folder: (folder / "ids.csv").write_text("id\na\n"),
])
def test_files_that_do_not_fit_are_refused(three, tmp_path, spoil):
    three.save(tmp_path)
    spoil(tmp_path)
    with pytest.raises(UserError, match="Make them again"):
        EmbeddingSet.load(tmp_path)


def test_no_byte_of_ids_and_vectors_can_be_changed_unseen(three, tmp_path):
    three.save(tmp_path)
    for name in ("embeddings.npy", "ids.csv"):
        whole = (tmp_path / name).read_bytes()
        for place in range(len(whole)):
            (tmp_path / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
            with pytest.raises(UserError):
                EmbeddingSet.load(tmp_path)
        (tmp_path / name).write_bytes(whole)
    assert len(EmbeddingSet.load(tmp_path)) == 3


def test_a_set_of_an_earlier_release_has_no_checksums(three, tmp_path):
    three.save(tmp_path)
    facts = read_json(tmp_path / "embeddings.json")
    write_json(tmp_path / "embeddings.json", {key: facts[key] for key in facts if key != "sha256"})
    assert list(EmbeddingSet.load(tmp_path).ids) == list(three.ids)


def test_two_that_write_one_set(three, tmp_path):
    with claim_path(tmp_path / "set/embeddings.json"), pytest.raises(UserError, match="a run that is using it"):
        three.save(tmp_path / "set")
    for name in ("embeddings.npy", "ids.csv"):
        (tmp_path / "set" / f".{name}.abcd1234.tmp").write_text("left by one that was killed")
    three.save(tmp_path / "set")
    assert sorted(os.listdir(tmp_path / "set")) == ["embeddings.json", "embeddings.npy", "ids.csv"]


@pytest.mark.parametrize("change", [{"count": "3"}, {"dimension": None}, {"model_fingerprint": 5}, {"provenance": []}])
def test_facts_of_other_types_are_named(three, tmp_path, change):
    three.save(tmp_path)
    facts = json.loads((tmp_path / "embeddings.json").read_text())
    (tmp_path / "embeddings.json").write_text(json.dumps(facts | change))
    with pytest.raises(UserError, match=rf"for {next(iter(change))} in .*embeddings\.json"):
        EmbeddingSet.load(tmp_path)


def test_missing_column_is_named(three, tmp_path):
    three.save(tmp_path)
    (tmp_path / "ids.csv").write_text("name\na\n")
    with pytest.raises(UserError, match="column id"):
        EmbeddingSet.load(tmp_path)


def test_full_disk_leaves_no_finished_set(three, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        three.save(tmp_path / "set")
    assert list((tmp_path / "set").iterdir()) == []


def test_good_rows_have_no_fault():
    assert validate_embeddings(np.array([[1, 0], [0.6, 0.8], [0.6005, 0.8]], np.float32)) == {}
    assert validate_embeddings(np.zeros((0, 4), np.float32)) == {}


def test_each_bad_row_has_its_fault():
    vectors = np.array([[1, 0], [np.nan, 0], [0, 0], [np.inf, 1], [2, 0]], np.float32)
    faults = validate_embeddings(vectors)
    assert list(faults) == [1, 2, 3, 4]
    assert "NaN" in faults[1]
    assert "NaN" in faults[3]
    assert "length 0.0000" in faults[2]
    assert "length 2.0000" in faults[4]


def test_same_model_passes():
    assert check_same_model(8, "aa", 8, "aa") is None


@pytest.mark.parametrize(("other", "message"), [
    ((16, "aa"), "dimension 8; received dimension 16"), ((8, "bb"), "fingerprint aa; received fingerprint bb"),
])
def test_unlike_models_are_refused(other, message):
    with pytest.raises(UserError, match=message):
        check_same_model(8, "aa", *other)


def test_vectors_get_length_1_and_steps_are_listed_in_order():
    two = of(["a", "b"], [[1, 0], [0, 1]])
    after_first = with_vectors(two, np.array([[3.0, 4.0], [0, -2]]), "first")
    np.testing.assert_allclose(after_first.vectors, [[0.6, 0.8], [0, -1]], atol=1e-7)
    after = with_vectors(after_first, two.vectors, "second")
    assert after.provenance["steps"] == ["first", "second"]
    assert (after.ids, after.model_fingerprint) == (two.ids, "f")
    assert "steps" not in two.provenance


def test_a_vector_without_a_direction_is_refused():
    with pytest.raises(UserError, match="length 0"):
        with_vectors(of(["a"], [[1, 0]]), np.zeros((1, 2)), "x")
