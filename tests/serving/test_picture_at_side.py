"""Pixels for engines without a decoder."""

import numpy as np
import tensorflow as tf

from landmark_zoo.serving.picture_at_side import picture_at_side


def test_the_pixels_that_serving_default_would_embed(exported, pictures):
    loaded = tf.saved_model.load(str(exported))
    pixels = picture_at_side(pictures[0], 64)
    assert pixels.shape == (1, 43, 64, 3)
    found = loaded.signatures["images"](images=tf.constant(pixels))["embedding"]
    expected = loaded.signatures["serving_default"](image_bytes=tf.constant(pictures[:1]))["embedding"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert picture_at_side(pictures[0], 64, square=True).shape == (1, 64, 64, 3)
