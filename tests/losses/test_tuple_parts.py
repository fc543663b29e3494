"""Tuples taken apart."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.tuple_parts import tuple_parts


def test_query_positive_negatives():
    tuples = np.arange(2 * 5 * 3, dtype=np.float16).reshape(2, 5, 3)
    query, positive, negatives = tuple_parts(tf.constant(tuples), "loss")
    np.testing.assert_array_equal(tf.concat([query, positive, negatives], axis=1), tuples)
    assert (query.shape[1], positive.shape[1], negatives.shape[1]) == (1, 1, 3)
    assert {part.dtype for part in (query, positive, negatives)} == {tf.float32}


@pytest.mark.parametrize("shape", [(6, 4), (3, 2, 4), (1, 3, 2, 4)])
def test_no_tuples(shape):
    with pytest.raises(ValueError, match=rf"my_loss: expected embeddings \[T, 2 \+ N, D\].*received \[{shape[0]}, "):
        tuple_parts(tf.zeros(shape), "my_loss")
