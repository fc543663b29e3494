"""Where dense layers begin."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.last_map import last_map


def test_convolutions_are_those_of_keras_with_all_five_poolings():
    ours, keras = last_map("vgg16"), tf.keras.applications.VGG16(include_top=False, weights=None)
    ours.set_weights(keras.get_weights())
    images = np.random.default_rng(0).uniform(-100, 100, (1, 70, 45, 3)).astype(np.float32)
    assert ours.count_params() == 14_714_688
    assert ours(images).shape == (1, 2, 1, 512)
    np.testing.assert_allclose(ours(images), keras(images), rtol=1e-5)


def test_one_width_only():
    with pytest.raises(UserError, match=r"no alpha for vgg16; received alpha=0\.5"):
        last_map("vgg16", alpha=0.5)


def test_other_backbones_end_at_c5():
    assert last_map("mobilenet", alpha=0.25)(np.zeros((1, 64, 96, 3), np.float32)).shape == (1, 2, 3, 256)
