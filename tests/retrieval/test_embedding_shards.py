"""Work saved shard by shard."""

import numpy as np
import pytest

from landmark_zoo.retrieval.embedding_shards import EmbeddingShards
from landmark_zoo.retrieval.picture import Picture


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(5)]
    for path in paths:
        path.write_bytes(b"x")
    return [Picture(path.stem, path) for path in paths]


def vectors(rows: int) -> np.ndarray:
    return np.eye(rows, 4, dtype=np.float32)


def test_what_is_saved_is_no_longer_missing(pictures, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", pictures, size=2)
    assert shards.missing() == [0, 1, 2]
    assert [picture.id for picture in shards.pictures_of(2)] == ["4"]
    shards.save(1, vectors(1), {"3": "empty file"})
    assert shards.missing() == [0, 2]
    assert shards.missing(redo_skipped=True) == [0, 1, 2]
    shards.save(0, vectors(2), {})
    shards.save(2, vectors(1), {})
    again = EmbeddingShards(tmp_path / "shards", pictures, size=2)
    assert again.missing() == []
    assert again.skipped() == {"3": "empty file"}
    assert again.vectors().shape == (4, 4)


def test_shard_of_a_mended_picture_is_made_again(pictures, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", pictures, size=2)
    for number in shards.missing():
        shards.save(number, vectors(1), {})
    pictures[3].path.write_bytes(b"mended")
    assert shards.missing() == [1]


def test_shard_without_its_second_file_is_missing(pictures, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", pictures, size=5)
    shards.save(0, vectors(3), {})
    (tmp_path / "shards" / "00000.npy").unlink()
    assert shards.missing() == [0]
