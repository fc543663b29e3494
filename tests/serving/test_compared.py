"""Embeddings of another engine beside the SavedModel's."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.compared import compared
from landmark_zoo.serving.picture_at_side import picture_at_side


@pytest.fixture
def images(pictures):
    return [picture_at_side(picture, 64) for picture in pictures[:2]]


def test_the_smallest_cosine_whatever_the_length(exported, images):
    loaded = tf.saved_model.load(str(exported))
    def same(image):
        return 3 * loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()
    assert compared(exported, same, images, 0.99) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("vector", [np.full([1, 16], np.nan), np.zeros([1, 16]), -np.ones([1, 16])])
def test_other_embeddings_are_refused(exported, images, vector):
    with pytest.raises(UserError, match=r"a cosine of 0\.99 or more"):
        compared(exported, lambda _: vector, images, 0.99)


def test_no_pictures(exported):
    with pytest.raises(UserError, match="pictures to compare embeddings on; received none"):
        compared(exported, lambda image: image, [], 0.99)
