"""Loading an exported model by plain TensorFlow."""

import shutil

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.saved_model import EmbeddingModel


def test_bytes_become_unit_embeddings(tiny_model, paint):
    encoded = [paint("a.png", 1).read_bytes(), paint("b.jpg", 2, (40, 90)).read_bytes()]
    vectors = tiny_model.embed_bytes(encoded)
    assert vectors.shape == (2, tiny_model.dimension) == (2, 12)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(tiny_model.embed_bytes(encoded[1:])[0], vectors[1], atol=1e-6)


def test_no_pictures_no_embeddings(tiny_model):
    assert tiny_model.embed_bytes([]).shape == (0, 12)


def test_info_is_plain_python(tiny_model):
    assert tiny_model.info == {"name": "tiny", "dimension": 12, "scales": [1.0], "side": 64, "preprocessing": "none"}


def test_bytes_that_are_no_picture(tiny_model):
    with pytest.raises(BadPhotograph, match="Unknown image file format"):
        tiny_model.embed_bytes([b"no picture"])


def test_the_highest_version_is_taken(tiny_path, tmp_path):
    for version in ("2", "10", "latest"):
        shutil.copytree(tiny_path / "1", tmp_path / "zoo" / version)
    assert EmbeddingModel(tmp_path / "zoo").path.name == "10"
    assert EmbeddingModel(tmp_path / "zoo" / "2").path.name == "2"


def test_fingerprint_is_that_of_the_export(tiny_model, tiny_path, write_model, tmp_path):
    copy = EmbeddingModel(shutil.copytree(tiny_path / "1", tmp_path / "copy"))
    other = EmbeddingModel(write_model(tmp_path / "other", scale=2.0))
    assert copy.fingerprint == tiny_model.fingerprint
    assert len(copy.fingerprint) == 64
    assert other.fingerprint != copy.fingerprint


@pytest.mark.parametrize("absent", ["serving_default", "images", "info"])
def test_missing_signature_is_named(write_model, tmp_path, absent):
    signatures = tuple(name for name in ("serving_default", "images", "info") if name != absent)
    with pytest.raises(UserError, match=f"signature {absent}"):
        EmbeddingModel(write_model(tmp_path / "m", signatures=signatures))


def test_folder_without_a_model(tmp_path):
    with pytest.raises(UserError, match=r"SavedModel .* received none"):
        EmbeddingModel(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        EmbeddingModel(tmp_path / "absent")


def test_broken_file_is_one_line(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(UserError, match="readable SavedModel"):
        EmbeddingModel(tmp_path)


def test_local_features_are_asked_for_in_vain(tiny_model):
    with pytest.raises(UserError, match=r"the signature local at .*; received signatures images, info, serving_default"):
        tiny_model.local(np.zeros((1, 64, 64, 3), np.float32))
