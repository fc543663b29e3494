"""An embedder around another, without one of ours on either side."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.embedders.wrapper import Wrapper


class Means(Embedder):
    """The mean colour."""

    side, dimension = 64, 3

    def __init__(self):
        super().__init__(name="means")
        self.scale = tf.Variable([1.0, 1.0, 1.0])

    @property
    def facts(self):
        return {"dimension": 3}

    def __call__(self, images):
        return tf.reduce_mean(images, axis=[1, 2]) * self.scale

    def multiply_accumulates(self, height, width):
        return 3


class LocalMeans(Means):
    """With the picture itself as its feature map."""

    has_local = True

    def local(self, images):
        return {"features": images, "scores": images[..., 0]}


class Backwards(Wrapper):
    """The other embedder's numbers in reverse."""

    @property
    def facts(self):
        return self.inner.facts

    def __call__(self, images):
        return self.inner(images)[:, ::-1]

    def multiply_accumulates(self, height, width):
        return self.inner.multiply_accumulates(height, width)


IMAGES = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 4, 5, 3]), tf.float32)


def test_local_features_stay():
    wrapper = Backwards(LocalMeans(), 3, "backwards")
    assert wrapper.has_local
    np.testing.assert_array_equal(wrapper.local(IMAGES)["features"], IMAGES)
    np.testing.assert_allclose(wrapper(IMAGES)[:, 0], tf.reduce_mean(IMAGES[..., 2], axis=[1, 2]), rtol=1e-6)
    assert (wrapper.side, wrapper.dimension, wrapper.name, wrapper.parameters) == (64, 3, "backwards", 3)


def test_without_local_features():
    wrapper = Backwards(Means(), 3, "backwards")
    assert not wrapper.has_local
    with pytest.raises(ValueError, match="Expected an embedder with a feature map; received Means"):
        wrapper.local(IMAGES)
