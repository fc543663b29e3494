"""Several sizes of a picture."""

import hypothesis.extra.numpy
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.resize import resize
from landmark_zoo.serving.embedders.multi_scale import MultiScale, power_mean
from landmark_zoo.serving.embedders.network import Network
from landmark_zoo.serving.scales import Scales

VECTORS = hypothesis.extra.numpy.arrays(np.float32, [1, 2, 4], elements=st.floats(-1, 1, width=16))


@settings(max_examples=30, deadline=None)
@given(VECTORS, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_equal_vectors_at_all_scales_come_back(vectors, power):
    np.testing.assert_allclose(power_mean(tf.repeat(vectors, 3, axis=0), power), vectors[0], atol=1e-3)


def test_powers_by_hand():
    vectors = tf.constant([[1.0, -2.0], [2.0, -4.0]])
    np.testing.assert_allclose(power_mean(vectors, 1), [1.5, -3])
    np.testing.assert_allclose(power_mean(vectors, 3), [4.5 ** (1 / 3), -36 ** (1 / 3)], rtol=1e-6)


@pytest.mark.parametrize("unit", [True, False])
def test_is_the_normalised_mean_over_the_scales(little_model, batch, unit):
    scales = Scales((0.75, 1.0, 1.5), unit)
    single = Network(little_model, 64, unit)
    parts = [single(resize(batch, *size)) for size in ((36, 48), (48, 64), (72, 96))]
    mean = sum(part.numpy() for part in parts)
    several = MultiScale(single, scales)
    np.testing.assert_allclose(several(batch), mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(tf.function(several)(batch), several(batch), atol=1e-6)


def test_facts_and_work(little_model):
    single = Network(little_model, 64)
    several = MultiScale(single, Scales((0.5, 1.0), power=3.0))
    assert several.facts["scales"] == [0.5, 1.0]
    assert several.facts["aggregation"] == "generalised mean, p 3, of embeddings of length 1, L2"
    assert several.multiply_accumulates(96, 128) == (
        single.multiply_accumulates(48, 64) + single.multiply_accumulates(96, 128))
    assert several.parameters == single.parameters
    assert several.has_local
