import hypothesis.extra.numpy
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Scales
from landmark_zoo.serving.scales import power_mean, rescale

VECTORS = hypothesis.extra.numpy.arrays(np.float32, [1, 2, 4], elements=st.floats(-1, 1, width=16))


@settings(max_examples=30, deadline=None)
@given(VECTORS, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_equal_vectors_at_all_scales_come_back(vectors, power):
    np.testing.assert_allclose(power_mean(tf.repeat(vectors, 3, axis=0), power), vectors[0], atol=1e-3)


def test_powers_by_hand():
    vectors = tf.constant([[1.0, -2.0], [2.0, -4.0]])
    np.testing.assert_allclose(power_mean(vectors, 1), [1.5, -3])
    np.testing.assert_allclose(power_mean(vectors, 3), [4.5 ** (1 / 3), -36 ** (1 / 3)], rtol=1e-6)


def test_words():
    assert Scales().aggregation == "none"
    assert Scales((0.5, 1.0)).aggregation == "mean of embeddings of length 1, L2"
    assert Scales((2.0,), power=2.5).aggregation == "generalised mean, p 2.5, of embeddings of length 1, L2"


@pytest.mark.parametrize("factors", [(), (0.0,), (-1.0, 1.0), (1.0, 1.0), (float("nan"),)])
def test_no_such_scales(factors):
    with pytest.raises(UserError, match="scales above 0, none twice"):
        Scales(factors)


@pytest.mark.parametrize("power", [0.0, -1.0, float("inf")])
def test_no_such_power(power):
    with pytest.raises(UserError, match="a power above 0"):
        Scales(power=power)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("factor", "size"), [(0.7071, (35, 71)), (1.4142, (71, 141)), (0.1, (32, 32)), (1, (50, 100))])
def test_sizes(known, factor, size):
    images = tf.random.stateless_uniform([2, 50, 100, 3], [0, 0])
    call = tf.function(lambda x: rescale(x, factor), [tf.TensorSpec([2, 50, 100, 3] if known else [None, None, None, 3])])
    assert call(images).shape == (2, *size, 3)
    assert call.get_concrete_function().structured_outputs.shape.is_fully_defined() == known
