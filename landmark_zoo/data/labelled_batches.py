"""The last steps of every data set: decode, check the label, batch, prefetch."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from landmark_zoo.data.schema import Example, parse_example


def labelled_batches(records: tf.data.Dataset, picture: Callable[[Any, tf.Tensor], tf.Tensor], num_classes: int,
                     batch_size: int, drop_remainder: bool = False) -> tf.data.Dataset:
    """Turns records into batches, in their order.

    Args:
        records: (what the picture depends on besides its bytes, serialized record).
        picture: Of these two, the encoded picture in place of the record, makes float32 [H, W, 3].
        num_classes: Labels are below.
        batch_size: Pictures per batch; those of one batch are of one size.
        drop_remainder: Leave out a last batch that is not full.

    Returns:
        (images float32 [B, H, W, 3], labels int32 [B]).

    Raises:
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    def load(context: Any, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = parse_example(serialized)
        return picture(context, example.encoded), _label(example, num_classes)

    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    pictures = records.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return pictures.batch(batch_size, drop_remainder=drop_remainder).prefetch(tf.data.AUTOTUNE).with_options(options)


def _label(example: Example, num_classes: int) -> tf.Tensor:
    check = tf.debugging.Assert((example.label >= 0) & (example.label < num_classes), [tf.strings.format(
        "Expected a label from 0 to {}; received {} for picture {} of landmark {}.",
        (num_classes - 1, example.label, example.id, example.landmark_id))])
    with tf.control_dependencies([check]):
        return tf.cast(example.label, tf.int32)
