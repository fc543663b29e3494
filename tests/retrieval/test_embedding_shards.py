import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards, merge_shards
from landmark_zoo.retrieval.image_sequence import ImageSequence


@pytest.fixture
def images(tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(5)]
    for path in paths:
        path.write_bytes(b"x")
    return [ImageRef(path.stem, path) for path in paths]


def vectors(rows: int) -> np.ndarray:
    return np.eye(rows, 4, dtype=np.float32)


def test_what_is_saved_is_no_longer_missing(images, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", images, size=2)
    assert shards.missing() == [0, 1, 2]
    assert [image.id for image in shards.images_of(2)] == ["4"]
    shards.save(1, vectors(1), {"3": "empty file"})
    assert shards.missing() == [0, 2]
    assert shards.missing(redo_skipped=True) == [0, 1, 2]
    shards.save(0, vectors(2), {})
    shards.save(2, vectors(1), {})
    again = EmbeddingShards(tmp_path / "shards", images, size=2)
    assert again.missing() == []
    assert again.skipped() == {"3": "empty file"}
    assert again.vectors().shape == (4, 4)


def test_shard_of_a_mended_image_is_made_again(images, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", images, size=2)
    for number in shards.missing():
        shards.save(number, vectors(1), {})
    images[3].path.write_bytes(b"mended")
    assert shards.missing() == [1]


def test_shard_without_its_second_file_is_missing(images, tmp_path):
    shards = EmbeddingShards(tmp_path / "shards", images, size=5)
    shards.save(0, vectors(3), {})
    (tmp_path / "shards" / "00000.npy").unlink()
    assert shards.missing() == [0]


def test_a_folder_without_shards(tmp_path):
    with pytest.raises(UserError, match=r"a JSON file at .*maker.json"):
        merge_shards(tmp_path)
    write_json(tmp_path / "shards/maker.json", {"shard_size": 4})
    with pytest.raises(UserError, match=r"a list of pictures in .*shards; received none"):
        merge_shards(tmp_path)


@pytest.mark.parametrize("facts", [{}, [], {"list_sha256": "x"}, {"list_sha256": None, "files": ["1 2"], "skipped": {}}])
def test_a_damaged_shard_is_made_again(images, tmp_path, facts):
    shards = EmbeddingShards(tmp_path / "shards", images, size=5)
    shards.save(0, vectors(5)[:4], {"1": "empty file"})
    write_json(tmp_path / "shards/00000.json", facts)
    assert shards.missing() == [0]
    with pytest.raises(UserError):
        shards.files_of(0)
    shards.retire(0)
    assert shards.known(0) == [None] * 5
    assert shards.known_vectors(0) == {}


def test_a_shard_with_too_few_embeddings_is_not_joined(images, tmp_path):
    write_json(tmp_path / "shards/maker.json", {"shard_size": 5, "dtype": "float32", "model_fingerprint": "f"})
    ImageSequence.write(tmp_path / "shards/part-0-of-1/pictures.jsonl", images)
    EmbeddingShards(tmp_path / "shards", images, size=5).save(0, vectors(4), {})
    with pytest.raises(UserError, match=r"5 embeddings in shard 0 of .*; received 4"):
        merge_shards(tmp_path)
    (tmp_path / "shards/00000.npy").write_bytes(b"half")
    with pytest.raises(UserError, match="the embeddings of a shard"):
        merge_shards(tmp_path)
    write_json(tmp_path / "shards/maker.json", {"shard_size": 5})
    with pytest.raises(UserError, match="what makes the shards"):
        merge_shards(tmp_path)
    assert not (tmp_path / "embeddings.json").exists()
