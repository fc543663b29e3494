"""Embeddings in memory and on disk."""

import errno
import json
import os

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

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
