"""The number format that a model computes in."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Gives the models built inside a precision policy of Keras.

    It reaches backbone and attention blocks. Poolings, embedding layer, heads and preprocessing are float32 by their own
    word, and weights are under each of the policies, so that the same model without it reads the checkpoints.

    Args:
        policy: "float32", "mixed_bfloat16" or "mixed_float16".
    """
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
