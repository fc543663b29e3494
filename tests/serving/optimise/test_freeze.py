"""Freezing: what is refused; the rest is in test_variants.py."""

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.freeze import freeze


def test_too_many_weights_for_a_graph(small_export):
    with pytest.raises(UserError, match=r"weights of at most 0\.0001 GB .* received 0\.00 GB"):
        freeze(small_export, limit=100_000)


def test_weights_and_signatures(small_export):
    model = freeze(small_export)
    assert {"serving_default", "images", "crop", "info", "local"} == set(model.signatures)
    assert dict(model.signatures["crop"].inputs).keys() == {"image_bytes", "box"}
    assert all(signature.function in model.functions for signature in model.signatures.values())


def test_a_variable_that_is_looked_up_or_changed(save):
    table = tf.Variable(tf.ones([4, 2]))
    with pytest.raises(UserError, match="only reads its variables as a whole; received the operation ResourceGather"):
        freeze(save(lambda x: tf.gather(table, tf.cast(x, tf.int32)), [None], [table]))
