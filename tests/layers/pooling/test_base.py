"""What every pooling has in common."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.pooling import MAC


def test_float32_under_half_precision():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        vector = MAC()(np.ones((1, 2, 2, 3), np.float16))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert vector.dtype == tf.float32


def test_error_names_the_layer_and_the_shape():
    with pytest.raises(ValueError, match=r"MAC: expected \[batch, height, width, .*received shape \(4, 3\)"):
        MAC().build([4, 3])
