import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.embedding_claim import claim_shards, is_up_to_date
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards, merge_shards
from landmark_zoo.retrieval.file_states import list_checksum
from tests.retrieval.test_embedding_shards import vectors


@pytest.fixture
def images(tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    return [ImageRef(name, tmp_path / name) for name in "abc"]


@pytest.fixture
def claim(images):
    return {"model_fingerprint": "f", "engine": "tensorflow", "dtype": "float32", "list_sha256": list_checksum(images)}


@pytest.fixture
def finished(images, claim, tmp_path):
    """A finished set of three images, of which the second was skipped."""
    claim_shards(tmp_path / "out", {**claim, "shard_size": 3}, images, {})
    EmbeddingShards(tmp_path / "out/shards", images, 3).save(0, vectors(2), {"b": "no image"})
    (tmp_path / "out/shards/part-0-of-1").mkdir()
    (tmp_path / "out/shards/part-0-of-1/pictures.jsonl").write_text(
        "".join(f'["{image.id}", "{image.path}", null]\n' for image in images))
    merge_shards(tmp_path / "out")
    return tmp_path / "out"


def test_a_claim_is_kept_by_others_of_its_kind_alone(images, claim, tmp_path):
    claim_shards(tmp_path, {**claim, "shard_size": 3}, images, {"name": "m"})
    claim_shards(tmp_path, {**claim, "shard_size": 3}, images, {"name": "m"})
    for key in claim:
        with pytest.raises(UserError, match=f"another {'list of images' if key == 'list_sha256' else key}"):
            claim_shards(tmp_path, {**claim, "shard_size": 3, key: "other"}, images, {})
    assert read_json(tmp_path / "shards/maker.json") == {**claim, "shard_size": 3, "model": {"name": "m"}}


def test_up_to_date_until_a_file_changes(images, claim, finished):
    assert is_up_to_date(finished, claim, images, strict=False)
    with pytest.raises(UserError, match="no bad photograph; received 1"):
        is_up_to_date(finished, claim, images, strict=True)
    images[0].path.write_bytes(b"longer")
    assert not is_up_to_date(finished, claim, images, strict=True)
    assert not is_up_to_date(finished / "elsewhere", claim, images, strict=False)


@pytest.mark.parametrize("facts", [{}, [], {"provenance": 3}, {"provenance": {}, "model_fingerprint": 1}])
def test_facts_of_another_form_are_one_line(facts, images, claim, finished):
    write_json(finished / "embeddings.json", facts)
    with pytest.raises(UserError, match="Choose another output folder"):
        is_up_to_date(finished, claim, images, strict=False)


@pytest.mark.parametrize("facts", [{}, [], "x", {"shard_size": 3}])
def test_a_claim_of_another_form_is_one_line(facts, images, claim, tmp_path):
    write_json(tmp_path / "shards/maker.json", facts)
    with pytest.raises(UserError, match="Choose another output folder"):
        claim_shards(tmp_path, {**claim, "shard_size": 3}, images, {})


def test_a_set_that_does_not_fit_together_is_not_opened(images, claim, finished):
    text = (finished / "files.csv").read_text()
    (finished / "files.csv").write_text(text.replace("no image", "").replace("c,1", "c,7", 1))
    with pytest.raises(UserError, match=r"the ids of .*files\.csv"):
        claim_shards(finished, {**claim, "shard_size": 3}, images, {})
    (finished / "files.csv").write_text(text)
    (finished / "embeddings.npy").write_bytes((finished / "embeddings.npy").read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"unreadable embeddings\.npy"):
        claim_shards(finished, {**claim, "shard_size": 3}, images, {})
