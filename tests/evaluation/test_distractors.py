"""Distractors on disk."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.evaluation.distractors import Distractors
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def embeddings(*ids, dimension=4, fingerprint="f", **provenance):
    return EmbeddingSet(list(ids), np.eye(len(ids), dimension, dtype=np.float32), fingerprint, provenance)


INDEX = embeddings("a", "b")


def test_none():
    found = Distractors.read([], INDEX)
    assert (len(found.ids), len(found.shards), found.description) == (0, 0, "none")


def test_shards_of_either_type_are_mapped(tmp_path):
    embeddings("x", "y", photographs_sha256="1" * 64).save(tmp_path / "one")
    embeddings("z").save(tmp_path / "two")
    np.save(tmp_path / "two" / "embeddings.npy", np.load(tmp_path / "two" / "embeddings.npy").astype(np.float16))
    found = Distractors.read([tmp_path / "one", tmp_path / "two"], INDEX)
    assert found.ids == ["x", "y", "z"]
    assert [(type(shard), shard.dtype.name) for shard in found.shards] == [(np.memmap, "float32"), (np.memmap, "float16")]
    assert found.description == f"3 photographs with checksum {'1' * 12}, not stated"


@pytest.mark.parametrize(("other", "message"), [
    (embeddings("x", fingerprint="g"), "fingerprint g"), (embeddings("x", dimension=3), "dimension 3"),
    (embeddings("x", "a"), "a twice"), (embeddings("x", steps=["database augmentation: 3"]), "database augmentation: 3 in")])
def test_what_does_not_belong_to_the_index_is_refused(tmp_path, other, message):
    other.save(tmp_path / "other")
    with pytest.raises(UserError, match=message):
        Distractors.read([tmp_path / "other"], INDEX)


def test_one_shard_twice_is_refused(tmp_path):
    embeddings("x").save(tmp_path / "one")
    with pytest.raises(UserError, match=r"x twice, in .*one"):
        Distractors.read([tmp_path / "one"] * 2, INDEX)


def test_files_that_do_not_fit_together(tmp_path):
    with pytest.raises(UserError, match=r"embeddings\.json"):
        Distractors.read([tmp_path], INDEX)
    embeddings("x", "y").save(tmp_path / "one")
    write_json(tmp_path / "one" / "embeddings.json", read_json(tmp_path / "one" / "embeddings.json") | {"count": 3})
    with pytest.raises(UserError, match=r"float32 \(2, 4\) and 2 ids instead of"):
        Distractors.read([tmp_path / "one"], INDEX)
    (tmp_path / "one" / "embeddings.npy").write_bytes(b"cut")
    with pytest.raises(UserError, match="Make them again"):
        Distractors.read([tmp_path / "one"], INDEX)
