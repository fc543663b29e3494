"""Decoding inside a SavedModel: a bad picture stops the call and is named by its position."""

import tensorflow as tf

from landmark_zoo.data.decode import decode_image


def decode_or_name(image_bytes: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Decodes one picture; bytes that are none end in InvalidArgumentError with their position in the batch.

    TensorFlow's own decoder fails without saying which of many pictures it was. A data set of one element turns its failure
    into an empty result, which an assertion can name.

    Args:
        image_bytes: Scalar string.
        position: Scalar int.

    Returns:
        uint8 [H, W, 3].
    """
    nothing = tf.data.Dataset.from_tensors(tf.zeros([0, 0, 3], tf.uint8))
    decoded = tf.data.Dataset.from_tensors(image_bytes).map(lambda data: decode_image(data, accurate=True))
    image = decoded.ignore_errors().concatenate(nothing).take(1).get_single_element()
    image = tf.ensure_shape(image, [None, None, 3])
    whole = tf.debugging.Assert(tf.size(image) > 0, [tf.strings.format(
        "Expected the bytes of a JPEG, PNG, BMP or GIF picture; received something else or a cut-off one at position {}.",
        position)])
    with tf.control_dependencies([whole]):
        return tf.identity(image)
