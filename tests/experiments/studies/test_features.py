import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.studies.features import ImageFeatures, embed_features, image_features
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.models.inspection import on_features
from landmark_zoo.models.registry import ModelConfig


@pytest.fixture(scope="module")
def mean():
    """The mean colour of each square of 32 x 32 pixels."""
    inputs = tf.keras.Input([None, None, 3])
    return tf.keras.Model(inputs, tf.keras.layers.AveragePooling2D(32)(inputs))


@pytest.fixture
def images(tmp_path):
    paths = []
    for name, size, color in (("a", (128, 64), (200, 10, 0)), ("b", (40, 80), (0, 100, 50))):
        Image.new("RGB", size, color).save(tmp_path / f"{name}.png")
        paths.append(ImageRef(name, tmp_path / f"{name}.png"))
    return paths


def test_maps_row_by_row_one_image_after_the_other(mean, images, tmp_path):
    found = image_features(mean, "w", [*images, ImageRef("absent", tmp_path / "absent.jpg")], 64, tmp_path / "maps")
    assert found.ids == ["a", "b"]
    assert found.sizes.tolist() == [[1, 2], [2, 1]]
    np.testing.assert_allclose(found.features, [[200, 10, 0]] * 2 + [[0, 100, 50]] * 2, atol=2)
    assert (found.facts["photographs"], found.facts["skipped"]) == (3, 1)


def test_they_are_computed_once(mean, images, tmp_path):
    first = image_features(mean, "w", images, 64, tmp_path / "maps")
    again = image_features(None, "w", images, 64, tmp_path / "maps")
    assert again.ids == first.ids
    np.testing.assert_array_equal(again.features, first.features)


def test_an_image_changed_in_place_is_computed_again(mean, images, tmp_path):
    image_features(mean, "w", images, 64, tmp_path / "maps")
    path, size = images[1].path, images[1].path.stat().st_size
    Image.new("RGB", (40, 80), (200, 0, 50)).save(path)
    assert path.stat().st_size == size
    later = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(later, later))
    found = image_features(mean, "w", images, 64, tmp_path / "maps")
    np.testing.assert_allclose(found.features[2:], [[200, 0, 50]] * 2, atol=2)


def test_others_in_the_same_folder_are_refused(mean, images, tmp_path):
    image_features(mean, "w", images, 64, tmp_path / "maps")
    for other in (("v", images, 64), ("w", images[:1], 64), ("w", images, 96)):
        with pytest.raises(UserError, match="received others"):
            image_features(mean, *other, tmp_path / "maps")


def test_no_usable_image(mean, tmp_path):
    with pytest.raises(UserError, match="at least one usable photograph"):
        image_features(mean, "w", [ImageRef("absent", tmp_path / "absent.jpg")], 64, tmp_path / "maps")
    assert not (tmp_path / "maps" / "features.json").exists()


@pytest.fixture(scope="module")
def from_features():
    tf.keras.utils.set_random_seed(0)
    return on_features(ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25).build())[1]


def test_maps_of_many_sizes_are_embedded_as_one_by_one(from_features):
    random = np.random.default_rng(0)
    sizes = [(2, 3), (3, 2), (1, 4), *[(2, 3)] * 70, (1, 1)]
    maps = [random.uniform(size=(height, width, 128)).astype(np.float16) for height, width in sizes]
    ids = [f"p{number}" for number in range(len(maps))]
    images = ImageFeatures(ids, np.array(sizes), np.concatenate([part.reshape(-1, 128) for part in maps]),
                               {"photographs_sha256": "ab", "photographs": 75, "skipped": 1})
    embeddings = embed_features(from_features, images, "f" * 64, {"name": "toy"})
    one_by_one = np.concatenate([from_features(part[np.newaxis].astype(np.float32))["embedding"] for part in maps])
    np.testing.assert_allclose(embeddings.vectors, one_by_one, atol=1e-5)
    assert list(embeddings.ids) == ids
    assert embeddings.provenance["model"] == {"name": "toy"}
    assert embeddings.provenance["skipped"] == 1
