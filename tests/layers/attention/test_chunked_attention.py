"""Chunked attention against loops, and chunk by chunk against all at once."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.attention.chunked_attention import chunked_attention, flatten_locations, in_chunks, size

RANDOM = np.random.default_rng(0)
QUERY, KEY, VALUE = (RANDOM.standard_normal(shape).astype(np.float32) for shape in ((2, 35, 6), (2, 20, 6), (2, 20, 3)))
UNKNOWN = [tf.TensorSpec([None, None, channels]) for channels in (6, 6, 3)]


def by_loops(query, key, value, scale):
    attended, received = np.zeros((*query.shape[:2], value.shape[2])), np.zeros(key.shape[:2])
    for b in range(len(query)):
        for i, q in enumerate(query[b]):
            similarities = [np.exp(scale * float(q @ k)) for k in key[b]]
            for j, similarity in enumerate(similarities):
                weight = similarity / sum(similarities)
                attended[b, i] += weight * value[b, j]
                received[b, j] += weight / len(query[b])
    return attended, received


def gradients(function):
    inputs = [tf.constant(each) for each in (QUERY, KEY, VALUE)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        attended, received = function(*inputs)
        loss = tf.reduce_sum(attended**2) + 10 * tf.reduce_sum(received**3)
    return tape.gradient(loss, inputs)


@pytest.mark.parametrize("most_logits", [1, 50, 333, 2**26])
def test_equals_loops(most_logits):
    attended, received = chunked_attention(QUERY, KEY, VALUE, 0.5, most_logits)
    expected, expected_received = by_loops(QUERY, KEY, VALUE, 0.5)
    np.testing.assert_allclose(attended, expected, atol=1e-5)
    np.testing.assert_allclose(received, expected_received, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 100))
def test_chunks_change_nothing(queries, keys, most_logits):
    arguments = QUERY[:, :queries], KEY[:, :keys], VALUE[:, :keys]
    attended, received = chunked_attention(*arguments, most_logits=most_logits)
    whole, whole_received = chunked_attention(*arguments)
    np.testing.assert_allclose(attended, whole, atol=1e-6)
    np.testing.assert_allclose(received, whole_received, atol=1e-6)
    np.testing.assert_allclose(np.sum(received, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("compile_", [False, True])
@pytest.mark.parametrize("signature", [None, UNKNOWN])
@pytest.mark.parametrize("most_logits", [100, 2**26])
def test_gradients_in_graphs(signature, most_logits, compile_):
    """Known and unknown sizes, chunked or not, with and without XLA."""
    graph = tf.function(lambda *inputs: chunked_attention(*inputs, 0.5, most_logits), signature, jit_compile=compile_)
    whole = gradients(lambda *inputs: chunked_attention(*inputs, 0.5))
    for gradient, expected in zip(gradients(graph), whole, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_no_more_logits_than_allowed():
    seen = []

    def attend(queries, present, keys):
        seen.append(queries.shape[1] * keys.shape[1])
        return queries, tf.matmul(tf.ones([2, queries.shape[1], keys.shape[1]]), present, transpose_a=True)[..., 0]

    attended, received = in_chunks(attend, [tf.constant(QUERY)], [tf.constant(KEY)], 20, most_logits=200)
    assert max(seen) <= 200 + 20
    np.testing.assert_array_equal(attended, QUERY)
    np.testing.assert_array_equal(received, np.full((2, 20), 35))


def test_half_precision_keeps_its_dtype_and_computes_in_float32():
    """Logits of 1e5 are infinite in float16, and 35 x 100^2 is no float16 number either."""
    large = np.full((1, 4, 10), 100, np.float16)
    attended, received = chunked_attention(large, large, np.ones((1, 4, 2), np.float16))
    assert attended.dtype == tf.float16
    assert received.dtype == tf.float32
    np.testing.assert_allclose(attended, 1)


def test_shapes_known_and_unknown():
    assert size(tf.keras.Input([7, None, 3]), 1) == 7
    assert size(tf.constant(QUERY), 1) == 35
    known, unknown = [], []

    @tf.function(input_signature=[tf.TensorSpec([None, 7, 5, 3]), tf.TensorSpec([None, None, None, 3])])
    def flatten(first, second):
        known.append(flatten_locations(first).shape.as_list())
        unknown.append(flatten_locations(second).shape.as_list())
        return flatten_locations(second)

    maps = tf.reshape(tf.range(210.0), [2, 7, 5, 3])
    np.testing.assert_array_equal(flatten(maps, maps), tf.reshape(maps, [2, 35, 3]))
    assert known[0] == [None, 35, 3]
    assert unknown[0] == [None, None, 3]
