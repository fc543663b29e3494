"""Cropping that names what does not fit."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.crop import crop
from landmark_zoo.serving.crop_or_name import crop_or_name

PIXELS = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (0.4, 0.5, 10.5, 11.5), (3.5, 2, 4.6, 3.1), (29, 19, 30, 20)])
def test_cuts_as_retrieval_does(box):
    found = crop_or_name(tf.constant(PIXELS), tf.constant(box, tf.float32), tf.constant(0))
    np.testing.assert_array_equal(found, np.asarray(crop(Image.fromarray(PIXELS), box, "it")))


@pytest.mark.parametrize("box", [(0, 0, 31, 20), (0, 0, 30, 21), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 5, 5, 9), (5, 9, 9, 5),
                                 (1.6, 1, 2.4, 9), (float("nan"), 0, 5, 5), (0, 0, float("inf"), 5)])
@pytest.mark.parametrize("compiled", [True, False])
def test_refuses_as_retrieval_does(box, compiled):
    call = tf.function(crop_or_name) if compiled else crop_or_name
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x1 <= 30 .* y1 <= 20; received \[.*\] at position 7"):
        call(tf.constant(PIXELS), tf.constant(box, tf.float32), tf.constant(7))
    with pytest.raises(UserError):
        crop(Image.fromarray(PIXELS), box, "it")
