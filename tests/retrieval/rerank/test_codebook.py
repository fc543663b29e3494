import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.codebook import Codebook, visual_words
from landmark_zoo.retrieval.rerank.local_features import Keypoints


def clouds(seed=0):
    random = np.random.default_rng(seed)
    return (np.repeat(np.eye(4), 50, axis=0) + random.normal(scale=0.01, size=(200, 4))).astype(np.float32)


@pytest.fixture
def codebook():
    return Codebook(4, "rootsift").fit(clouds(), "four clouds")


def test_finds_the_clouds(codebook):
    assert codebook.centres.dtype == np.float32
    np.testing.assert_allclose(np.sort(codebook.centres, axis=0)[-1], 1, atol=0.02)
    assert len(set(codebook.assign(clouds()[::50])[:, 0])) == 4


def test_assigns_to_the_nearest(codebook):
    vectors = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    distances = np.linalg.norm(vectors[:, None] - codebook.centres, axis=2)
    np.testing.assert_array_equal(codebook.assign(vectors, 3), np.argsort(distances, axis=1)[:, :3])
    assert codebook.assign(vectors, 9).shape == (30, 4)


def test_seeded(codebook):
    np.testing.assert_array_equal(Codebook(4, "rootsift").fit(clouds()).centres, codebook.centres)


def test_saved_and_loaded(codebook, tmp_path):
    codebook.save(tmp_path / "c")
    loaded = Codebook.load(tmp_path / "c")
    np.testing.assert_array_equal(loaded.centres, codebook.centres)
    assert (loaded.size, loaded.kind, loaded.seed) == (4, "rootsift", 0)
    assert loaded.provenance["fitted_on"] == "four clouds"
    assert loaded.provenance["features"] == 200
    with pytest.raises(UserError, match="no folder at"):
        codebook.save(tmp_path / "c")


def test_a_failed_save_leaves_nothing(codebook, tmp_path, monkeypatch):
    def failing(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("landmark_zoo.retrieval.rerank.codebook.write_json", failing)
    with pytest.raises(OSError, match="No space"):
        codebook.save(tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["absent", "other shape", "other numbers", "cut off", "no kind"])
def test_a_broken_folder(codebook, tmp_path, fault):
    codebook.save(tmp_path / "c")
    facts = json.loads((tmp_path / "c" / "codebook.json").read_text())
    if fault == "absent":
        (tmp_path / "c" / "codebook.json").unlink()
    elif fault == "other shape":
        np.save(tmp_path / "c" / "centres.npy", np.zeros((3, 4), np.float32))
    elif fault == "other numbers":
        np.save(tmp_path / "c" / "centres.npy", 1 - np.load(tmp_path / "c" / "centres.npy"))
    elif fault == "cut off":
        (tmp_path / "c" / "centres.npy").write_bytes(b"\x93NUMPY")
    else:
        del facts["kind"]
        (tmp_path / "c" / "codebook.json").write_text(json.dumps(facts))
    with pytest.raises(UserError):
        Codebook.load(tmp_path / "c")


def test_mistakes(codebook):
    with pytest.raises(UserError, match="at least 4 local features for 4 words; received 3"):
        Codebook(4, "rootsift").fit(clouds()[:3])
    with pytest.raises(UserError, match="4 channels for this codebook; received 5"):
        codebook.assign(np.zeros((2, 5), np.float32))
    with pytest.raises(UserError, match="kind rootsift, as the codebook was fitted on; received abcdefabcdef"):
        codebook.check_kind("abcdefabcdefabcdef")
    with pytest.raises(ValueError, match="1 word or more"):
        Codebook(0, "rootsift")


class Corners:
    """Features that are the photograph itself."""

    kind = "corners"

    def __call__(self, image):
        return Keypoints(np.zeros((len(image), 2), np.float32), image.astype(np.float32))


def read(image_id):
    if image_id == "bad":
        raise InvalidImageError("empty file")
    return np.eye(4) + 10 * int(image_id)


def test_words_of_the_usable_images():
    words = visual_words(Corners(), read, ["0", "bad", "1"], 2, "test")
    assert sorted(words.centres.mean(axis=1).round(2).tolist()) == [0.25, 10.25]
    assert (words.kind, words.provenance["fitted_on"]) == ("corners", "2 photographs outside")


def test_no_usable_image():
    with pytest.raises(UserError, match="usable photographs for a codebook; received none of 1"):
        visual_words(Corners(), read, ["bad"], 2, "test")
