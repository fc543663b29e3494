"""Photographs to embeddings, by one process and by several."""

import csv

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.at_scale.embed_at_scale import embed_at_scale
from landmark_zoo.retrieval.at_scale.join_shards import join_shards
from landmark_zoo.retrieval.at_scale.scale_config import ScaleConfig
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.engines.tensorflow_engine import TensorflowEngine
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

SIZES = [(64, 48), (48, 64), (64, 40)]


@pytest.fixture
def pictures(paint):
    return [Picture(f"p{number}", paint(f"p{number}.jpg", number, SIZES[number % 3])) for number in range(11)]


class Counting:
    """The tiny model as an engine that counts, and stops as a user's Ctrl-C would."""

    name = "tensorflow"

    def __init__(self, model: EmbeddingModel, stop_after: int = 10**9):
        self._model, self.stop_after, self.seen = model, stop_after, 0

    def embed_images(self, images):
        if self.seen >= self.stop_after:
            raise KeyboardInterrupt
        self.seen += len(images)
        return self._model.embed_images(images)


def embedded(model, pictures, output, engine=None, **settings):
    missing = embed_at_scale(model, engine or TensorflowEngine(model), iter(pictures), output, ScaleConfig(**settings))
    return missing or join_shards(output)


def test_the_same_as_serving_default_in_the_same_order(tiny_model, pictures, tmp_path):
    facts = embedded(tiny_model, pictures, tmp_path / "out", batch_size=3, shard_size=4)
    found = EmbeddingSet.load(tmp_path / "out")
    assert found.ids == [picture.id for picture in pictures]
    expected = tiny_model.embed_bytes([picture.path.read_bytes() for picture in pictures])
    assert (found.vectors * expected).sum(1).min() > 0.9999
    assert facts["count"] == 11
    assert found.model_fingerprint == tiny_model.fingerprint
    assert found.provenance["model"]["name"] == "tiny"
    assert (found.provenance["photographs"], found.provenance["skipped"], found.provenance["cropped"]) == (11, 0, 0)
    assert not (tmp_path / "out/shards").exists()


def test_float16_takes_half_the_room_and_loads_as_float32(tiny_model, pictures, tmp_path):
    embedded(tiny_model, pictures, tmp_path / "out", dtype="float16")
    assert np.load(tmp_path / "out/embeddings.npy").dtype == np.float16
    found = EmbeddingSet.load(tmp_path / "out")
    embedded(tiny_model, pictures, tmp_path / "exact")
    np.testing.assert_allclose(found.vectors, EmbeddingSet.load(tmp_path / "exact").vectors, atol=1e-3)


def test_bad_photographs_are_listed_and_left_out(tiny_model, pictures, tmp_path):
    pictures[1].path.write_bytes(b"")
    pictures[4].path.write_bytes(pictures[4].path.read_bytes()[:300])
    pictures[6].path.unlink()
    facts = embedded(tiny_model, pictures, tmp_path / "out", shard_size=4)
    assert facts["provenance"]["skipped"] == 3
    assert EmbeddingSet.load(tmp_path / "out").ids == [f"p{number}" for number in (0, 2, 3, 5, 7, 8, 9, 10)]
    with open(tmp_path / "out/skipped.csv", encoding="utf-8", newline="") as file:
        reasons = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    assert set(reasons) == {"p1", "p4", "p6"}
    assert reasons["p1"] == "empty file"
    with pytest.raises(UserError, match="no bad photograph; received 3"):
        embedded(tiny_model, pictures, tmp_path / "out", strict=True)
    with pytest.raises(UserError, match="a usable photograph for p1; received empty file"):
        embedded(tiny_model, pictures, tmp_path / "strict", strict=True)


def test_vectors_that_are_no_embeddings(pictures, write_model, tmp_path):
    model = EmbeddingModel(write_model(tmp_path / "long", scale=1.5))
    with pytest.raises(UserError, match=r"11 bad ones, first p0: an embedding of length 1\.5"):
        embedded(model, pictures, tmp_path / "out")


def test_an_interrupted_run_goes_on_after_the_last_shard(tiny_model, pictures, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        embedded(tiny_model, pictures, tmp_path / "out", Counting(tiny_model, stop_after=5), batch_size=1, shard_size=4)
    again = Counting(tiny_model)
    embedded(tiny_model, pictures, tmp_path / "out", again, shard_size=4)
    assert again.seen == 7
    embedded(tiny_model, pictures, tmp_path / "whole")
    np.testing.assert_allclose(EmbeddingSet.load(tmp_path / "out").vectors, EmbeddingSet.load(tmp_path / "whole").vectors,
                               atol=1e-6)
    finished = Counting(tiny_model)
    embedded(tiny_model, pictures, tmp_path / "out", finished, shard_size=4)
    assert finished.seen == 0


def test_several_processes_share_the_work_and_the_last_joins(tiny_model, pictures, tmp_path):
    settings = {"shard_size": 2, "num_shards": 3}
    assert embedded(tiny_model, pictures, tmp_path / "out", shard=2, **settings) == 4
    with pytest.raises(UserError, match=r"6 finished shards .* 4 missing, the first number 0"):
        join_shards(tmp_path / "out")
    assert embedded(tiny_model, pictures, tmp_path / "out", shard=0, **settings) == 2
    facts = embedded(tiny_model, pictures, tmp_path / "out", shard=1, **settings)
    embedded(tiny_model, pictures, tmp_path / "whole")
    parts, whole = EmbeddingSet.load(tmp_path / "out"), EmbeddingSet.load(tmp_path / "whole")
    assert parts.ids == whole.ids
    np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-6)
    assert join_shards(tmp_path / "out") == facts


def test_work_of_another_model_engine_or_other_photographs_is_refused(tiny_model, pictures, write_model, tmp_path):
    other = EmbeddingModel(write_model(tmp_path / "other", scale=1.0005))
    with pytest.raises(KeyboardInterrupt):
        embedded(tiny_model, pictures, tmp_path / "out", Counting(tiny_model, stop_after=4), shard_size=2, batch_size=2)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embedded(other, pictures, tmp_path / "out", shard_size=2)
    with pytest.raises(UserError, match="another shard_size"):
        embedded(tiny_model, pictures, tmp_path / "out")
    embedded(tiny_model, pictures, tmp_path / "out", shard_size=2)
    with pytest.raises(UserError, match="another photographs_sha256"):
        embedded(tiny_model, pictures[:3], tmp_path / "out")
    with pytest.raises(UserError, match="another dtype"):
        embedded(tiny_model, pictures, tmp_path / "out", dtype="float16")


def test_duplicates_and_nothing(tiny_model, pictures, tmp_path):
    with pytest.raises(UserError, match="p0 twice"):
        embedded(tiny_model, [pictures[0], pictures[0]], tmp_path / "out")
    with pytest.raises(UserError, match="photographs to embed; received none"):
        embedded(tiny_model, [], tmp_path / "out")
