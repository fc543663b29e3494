import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.data.evaluation_views import VIEWS
from landmark_zoo.data.resize import resize, resize_square


@pytest.fixture(scope="module")
def image(picture):
    return tf.constant(np.asarray(picture(96, 150, seed=1)))


def test_stretch_is_the_whole_picture(image):
    np.testing.assert_array_equal(VIEWS["stretch"](image, 56, 0), resize_square(image, 56))


def test_centre_crop_at_224_is_that_of_256(image):
    crop = VIEWS["centre_crop"](image, 224, 0)
    assert crop.shape == (224, 224, 3)
    np.testing.assert_array_equal(crop, resize(image, 256, 400)[16:240, 88:312])


def test_centre_crop_scales_with_the_side(image):
    np.testing.assert_array_equal(VIEWS["centre_crop"](image, 56, 0), resize(image, 64, 100)[4:60, 22:78])


def test_rotation_depends_on_the_number_alone(image):
    turn = VIEWS["centre_crop_rotated"]
    views = [turn(image, 56, number).numpy() for number in (3, 3, 4, 5)]
    np.testing.assert_array_equal(views[0], views[1])
    assert np.abs(views[0] - views[2]).mean() > 1
    assert np.abs(views[2] - views[3]).mean() > 1


def test_rotation_is_about_the_middle_of_the_crop(image):
    plain = VIEWS["centre_crop"](image, 57, 0).numpy()[28, 28]
    for number in range(5):
        np.testing.assert_allclose(VIEWS["centre_crop_rotated"](image, 57, number)[28, 28], plain, atol=6)


@pytest.mark.parametrize("view", VIEWS)
def test_shapes_are_static_in_a_data_set(image, view):
    dataset = tf.data.Dataset.range(2).map(lambda number: VIEWS[view](image, 64, number))
    assert dataset.element_spec == tf.TensorSpec([64, 64, 3], tf.float32)
    for number, result in enumerate(dataset):
        np.testing.assert_allclose(result, VIEWS[view](image, 64, number), atol=1e-3)
