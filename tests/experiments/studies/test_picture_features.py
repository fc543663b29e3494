import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.studies.picture_features import picture_features
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.picture import Picture


@pytest.fixture(scope="module")
def mean():
    """The mean colour of each square of 32 x 32 pixels."""
    inputs = tf.keras.Input([None, None, 3])
    return tf.keras.Model(inputs, tf.keras.layers.AveragePooling2D(32)(inputs))


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for name, size, colour in (("a", (128, 64), (200, 10, 0)), ("b", (40, 80), (0, 100, 50))):
        Image.new("RGB", size, colour).save(tmp_path / f"{name}.png")
        paths.append(Picture(name, tmp_path / f"{name}.png"))
    return paths


def test_maps_row_by_row_one_picture_after_the_other(mean, pictures, tmp_path):
    found = picture_features(mean, "w", [*pictures, Picture("absent", tmp_path / "absent.jpg")], 64, tmp_path / "maps")
    assert found.ids == ["a", "b"]
    assert found.sizes.tolist() == [[1, 2], [2, 1]]
    np.testing.assert_allclose(found.features, [[200, 10, 0]] * 2 + [[0, 100, 50]] * 2, atol=2)
    assert (found.facts["photographs"], found.facts["skipped"]) == (3, 1)


def test_they_are_computed_once(mean, pictures, tmp_path):
    first = picture_features(mean, "w", pictures, 64, tmp_path / "maps")
    again = picture_features(None, "w", pictures, 64, tmp_path / "maps")
    assert again.ids == first.ids
    np.testing.assert_array_equal(again.features, first.features)


def test_others_in_the_same_folder_are_refused(mean, pictures, tmp_path):
    picture_features(mean, "w", pictures, 64, tmp_path / "maps")
    for other in (("v", pictures, 64), ("w", pictures[:1], 64), ("w", pictures, 96)):
        with pytest.raises(UserError, match="received others"):
            picture_features(mean, *other, tmp_path / "maps")


def test_no_usable_picture(mean, tmp_path):
    with pytest.raises(UserError, match="at least one usable photograph"):
        picture_features(mean, "w", [Picture("absent", tmp_path / "absent.jpg")], 64, tmp_path / "maps")
    assert not (tmp_path / "maps" / "features.json").exists()
