"""Both sides by one factor."""

import pytest
import tensorflow as tf

from landmark_zoo.serving.rescale import rescale


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("factor", "size"), [(0.7071, (35, 71)), (1.4142, (71, 141)), (0.1, (32, 32)), (1, (50, 100))])
def test_sizes(known, factor, size):
    images = tf.random.stateless_uniform([2, 50, 100, 3], [0, 0])
    call = tf.function(lambda x: rescale(x, factor), [tf.TensorSpec([2, 50, 100, 3] if known else [None, None, None, 3])])
    assert call(images).shape == (2, *size, 3)
    assert call.get_concrete_function().structured_outputs.shape.is_fully_defined() == known
