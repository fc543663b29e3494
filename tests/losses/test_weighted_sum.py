"""Several losses as one."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.weighted_sum import weighted_sum


def test_scalars():
    total = weighted_sum({"a": (0.5, tf.constant(4.0)), "b": (10, tf.constant(0.25, tf.float16))})
    assert total.dtype == tf.float32
    assert float(total) == 4.5


def test_scalars_are_added_to_every_row():
    total = weighted_sum({"rows": (2, tf.constant([1.0, 3.0])), "batch": (1, tf.constant(10.0))})
    assert total.numpy().tolist() == [12, 16]


def test_weight_zero_leaves_even_a_fault_out():
    assert float(weighted_sum({"a": (1, tf.constant(2.0)), "b": (0, tf.constant(np.nan))})) == 2


@pytest.mark.parametrize("losses", [{}, {"a": (0, tf.constant(1.0))}])
def test_nothing_to_add(losses):
    with pytest.raises(ValueError, match="expected a loss of weight > 0; received"):
        weighted_sum(losses)


@pytest.mark.parametrize("second", [(-1, tf.constant(1.0)), (1, tf.ones([2, 2]))])
def test_the_faulty_one_is_named(second):
    with pytest.raises(ValueError, match="for 'second'; received"):
        weighted_sum({"first": (1, tf.constant(1.0)), "second": second})
