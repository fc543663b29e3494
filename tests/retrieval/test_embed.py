"""Photographs to embeddings: bad ones, interruptions, refusals."""

import csv
import errno
import os

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel


@pytest.fixture
def pictures(paint):
    return [Picture(f"p{number}", paint(f"p{number}.jpg", number)) for number in range(7)]


class Counting:
    """The tiny model, counting pictures; stops after some as a user's Ctrl-C would."""

    def __init__(self, model: EmbeddingModel, stop_after: int = 10**9):
        self.model, self.stop_after, self.seen = model, stop_after, 0
        self.dimension, self.fingerprint, self.info = model.dimension, model.fingerprint, model.info

    def embed_bytes(self, encoded):
        if self.seen >= self.stop_after:
            raise KeyboardInterrupt
        self.seen += len(encoded)
        return self.model.embed_bytes(encoded)


def skipped(folder):
    with open(folder / "skipped.csv", encoding="utf-8", newline="") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def test_all_are_embedded_in_order(tiny_model, pictures, tmp_path):
    embeddings = embed(tiny_model, pictures, tmp_path / "out", batch_size=3, shard_size=4)
    assert embeddings.ids == [picture.id for picture in pictures]
    expected = tiny_model.embed_bytes([picture.path.read_bytes() for picture in pictures])
    np.testing.assert_allclose(embeddings.vectors, expected, atol=1e-6)
    loaded = EmbeddingSet.load(tmp_path / "out")
    np.testing.assert_array_equal(loaded.vectors, embeddings.vectors)
    assert loaded.model_fingerprint == tiny_model.fingerprint
    assert (loaded.provenance["photographs"], loaded.provenance["skipped"]) == (7, 0)
    assert loaded.provenance["cropped"] == 0
    assert loaded.provenance["model"]["name"] == "tiny"
    assert not (tmp_path / "out/shards").exists()


def test_bad_photographs_are_listed_and_left_out(tiny_model, pictures, tmp_path):
    pictures[1].path.write_bytes(b"")
    pictures[4].path.write_bytes(b"a text")
    pictures[6].path.unlink()
    Image.new("RGB", (64, 64)).save(pictures[5].path)
    embeddings = embed(tiny_model, pictures, tmp_path / "out", batch_size=4)
    assert embeddings.ids == ["p0", "p2", "p3"]
    assert embeddings.provenance["skipped"] == 4
    reasons = skipped(tmp_path / "out")
    assert reasons["p1"] == "empty file"
    assert "not a picture" in reasons["p4"]
    assert "length 0.0000" in reasons["p5"]
    assert "no such file" in reasons["p6"]


def test_bytes_that_only_the_model_refuses_do_not_spoil_their_batch(tiny_model, pictures, tmp_path, monkeypatch):
    def other_input(picture, apply_exif):
        return b"\xff\xd8\xff broken" if picture.id == "p2" else picture.path.read_bytes()
    monkeypatch.setattr("landmark_zoo.retrieval.embed.model_input", other_input)
    embeddings = embed(tiny_model, pictures, tmp_path / "out")
    assert embeddings.ids == ["p0", "p1", "p3", "p4", "p5", "p6"]
    assert "Invalid JPEG data" in skipped(tmp_path / "out")["p2"]


def test_strict_names_the_first_bad_photograph(tiny_model, pictures, tmp_path):
    pictures[1].path.write_bytes(b"")
    with pytest.raises(UserError, match="for p1; received empty file"):
        embed(tiny_model, pictures, tmp_path / "out", strict=True)
    embed(tiny_model, pictures, tmp_path / "out")
    with pytest.raises(UserError, match="no bad photograph; received 1"):
        embed(tiny_model, pictures, tmp_path / "out", strict=True)


def test_nothing_usable_is_an_error(tiny_model, pictures, tmp_path):
    for picture in pictures:
        picture.path.write_bytes(b"")
    with pytest.raises(UserError, match="7 bad ones, first p0: empty file"):
        embed(tiny_model, pictures, tmp_path / "out")
    with pytest.raises(UserError, match="photographs to embed; received none"):
        embed(tiny_model, [], tmp_path / "none")


def test_an_interrupted_run_goes_on_after_the_last_shard(tiny_model, pictures, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        embed(Counting(tiny_model, stop_after=4), pictures, tmp_path / "out", batch_size=2, shard_size=2)
    again = Counting(tiny_model)
    resumed = embed(again, pictures, tmp_path / "out", batch_size=2, shard_size=2)
    assert again.seen == 3
    whole = embed(tiny_model, pictures, tmp_path / "whole")
    assert resumed.ids == whole.ids
    np.testing.assert_allclose(resumed.vectors, whole.vectors, atol=1e-6)


def test_a_finished_set_is_only_read(tiny_model, pictures, tmp_path):
    embed(tiny_model, pictures, tmp_path / "out")
    again = Counting(tiny_model)
    assert len(embed(again, pictures, tmp_path / "out")) == 7
    assert again.seen == 0


def test_work_of_another_model_or_other_photographs_is_refused(tiny_model, pictures, write_model, tmp_path):
    other = EmbeddingModel(write_model(tmp_path / "other", scale=1.0005))
    with pytest.raises(KeyboardInterrupt):
        embed(Counting(tiny_model, stop_after=2), pictures, tmp_path / "out", batch_size=2, shard_size=2)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embed(other, pictures, tmp_path / "out", shard_size=2)
    embed(tiny_model, pictures, tmp_path / "out", shard_size=2)
    with pytest.raises(UserError, match="another model_fingerprint"):
        embed(other, pictures, tmp_path / "out")
    with pytest.raises(UserError, match="another photographs_sha256"):
        embed(tiny_model, pictures[:3], tmp_path / "out")
    with pytest.raises(UserError, match="another apply_exif"):
        embed(tiny_model, pictures, tmp_path / "out", apply_exif=False)


def test_boxes_cut_queries(tiny_model, pictures, tmp_path):
    picture = pictures[0]
    cut = embed(tiny_model, [picture._replace(box=(0, 0, 32, 48))], tmp_path / "out")
    whole = embed(tiny_model, [picture], tmp_path / "whole")
    assert np.abs(cut.vectors - whole.vectors).max() > 0.01


def test_wrong_boxes_and_duplicates_end_the_run_before_it_starts(tiny_model, pictures, tmp_path):
    with pytest.raises(UserError, match="for p3"):
        embed(tiny_model, [*pictures[:3], pictures[3]._replace(box=(9, 0, 5, 5))], tmp_path / "out")
    with pytest.raises(UserError, match="p0 twice"):
        embed(tiny_model, [pictures[0], pictures[0]], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="64 x 48 pixels of p0"):
        embed(tiny_model, [pictures[0]._replace(box=(0, 0, 65, 48))], tmp_path / "out")


def test_two_runs_in_one_folder(tiny_model, pictures, tmp_path):
    with lock_directory(tmp_path / "out"), pytest.raises(UserError, match="a run that is using it"):
        embed(tiny_model, pictures, tmp_path / "out")


def test_full_disk_keeps_what_is_finished(tiny_model, pictures, tmp_path, monkeypatch):
    def full(descriptor):
        if (tmp_path / "out/shards/00001.npy").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        embed(tiny_model, pictures, tmp_path / "out", batch_size=2, shard_size=2)
    monkeypatch.undo()
    again = Counting(tiny_model)
    assert len(embed(again, pictures, tmp_path / "out", batch_size=2, shard_size=2)) == 7
    assert again.seen == 3
