"""Decoding that names what it cannot decode."""

import pytest
import tensorflow as tf

from landmark_zoo.serving.decode_or_name import decode_or_name


@pytest.mark.parametrize("compiled", [False, True])
def test_good_and_bad(compiled):
    decode = tf.function(decode_or_name) if compiled else decode_or_name
    pixels = tf.cast(tf.reshape(tf.range(2 * 5 * 3), [2, 5, 3]), tf.uint8)
    assert (decode(tf.io.encode_png(pixels), tf.constant(0)).numpy() == pixels.numpy()).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 3"):
        decode(tf.constant(b"\xff\xd8\xff no more"), tf.constant(3))
