"""What holds for every loss on embeddings: the laws of distances, and traps that all of them could fall into."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.losses.listwise_ap import listwise_ap_loss
from landmark_zoo.losses.pairs import batch_triplet_loss, contrastive_loss
from landmark_zoo.losses.tuples import second_order_similarity, tuple_contrastive_loss, tuple_triplet_loss

BATCH_LOSSES = {
    "contrastive": lambda x, y: contrastive_loss(x, y, 0.7),
    "contrastive_linear": lambda x, y: contrastive_loss(x, y, 0.4, form="linear"),
    "triplet_semihard": lambda x, y: batch_triplet_loss(x, y, 0.2),
    "triplet_hard": lambda x, y: batch_triplet_loss(x, y, 0.2, mining="hard"),
    "triplet_hard_squared": lambda x, y: batch_triplet_loss(x, y, 0.1, mining="hard", squared=True),
    "listwise_ap": listwise_ap_loss,
}
TUPLE_LOSSES = {
    "tuple_contrastive": tuple_contrastive_loss,
    "tuple_triplet": tuple_triplet_loss,
    "second_order_similarity": second_order_similarity,
}
LABELS = np.array([0, 0, 1, 1, 2, 2])


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def value_and_gradient(loss, embeddings, *labels):
    embeddings = tf.constant(embeddings)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        value = loss(embeddings, *labels)
    return value.numpy(), tape.gradient(value, embeddings).numpy()


def rotation(size, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0].astype(np.float32)


@pytest.mark.parametrize("name", BATCH_LOSSES)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_order_rotation_and_names_of_landmarks_do_not_matter(name, seed):
    loss, embeddings = BATCH_LOSSES[name], unit(6, 4, seed=seed)
    value = loss(embeddings, LABELS).numpy()
    assert value >= 0
    order = np.random.default_rng(seed).permutation(6)
    np.testing.assert_allclose(loss(embeddings[order], LABELS[order]), value, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss(embeddings @ rotation(4), LABELS), value, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss(embeddings, 70_000 - 7 * LABELS), value, rtol=1e-6)


@pytest.mark.parametrize("name", TUPLE_LOSSES)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_order_of_tuples_and_rotation_do_not_matter(name, seed):
    loss, embeddings = TUPLE_LOSSES[name], unit(3, 4, 5, seed=seed)
    value = loss(embeddings).numpy()
    assert (value >= 0).all()
    order = np.random.default_rng(seed).permutation(3)
    np.testing.assert_allclose(loss(embeddings[order]), value[order] if value.ndim else value, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss(embeddings @ rotation(5)), value, rtol=1e-4, atol=1e-5)


COINCIDING = np.tile([[0.6, 0.8]], (6, 1)).astype(np.float32)
OPPOSITE = COINCIDING * np.array([1, -1, 1, -1, 1, -1], np.float32)[:, np.newaxis]


@pytest.mark.parametrize("name", BATCH_LOSSES)
@pytest.mark.parametrize("embeddings", [COINCIDING, OPPOSITE, 0 * COINCIDING], ids=["coinciding", "opposite", "zero"])
@pytest.mark.parametrize("labels", [LABELS, np.arange(6), np.zeros(6, int)], ids=["pairs", "no positives", "no negatives"])
def test_batches_without_any_spread_or_partner_are_finite(name, embeddings, labels):
    value, gradient = value_and_gradient(BATCH_LOSSES[name], embeddings, labels)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() < 10


@pytest.mark.parametrize("name", TUPLE_LOSSES)
@pytest.mark.parametrize("embeddings", [COINCIDING, OPPOSITE, 0 * COINCIDING], ids=["coinciding", "opposite", "zero"])
def test_tuples_without_any_spread_are_finite(name, embeddings):
    value, gradient = value_and_gradient(TUPLE_LOSSES[name], embeddings.reshape(2, 3, 2))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", BATCH_LOSSES)
def test_a_batch_of_one_costs_nothing(name):
    value, gradient = value_and_gradient(BATCH_LOSSES[name], unit(1, 4), np.array([3]))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("name", BATCH_LOSSES | TUPLE_LOSSES)
def test_computes_in_float32_whatever_comes_in(name):
    labels = () if name in TUPLE_LOSSES else (LABELS,)
    embeddings = unit(*((2, 4, 5) if name in TUPLE_LOSSES else (6, 5))).astype(np.float16)
    loss = (BATCH_LOSSES | TUPLE_LOSSES)[name]
    value = loss(tf.constant(embeddings), *labels)
    assert value.dtype == tf.float32
    np.testing.assert_allclose(value, loss(embeddings.astype(np.float32), *labels), rtol=1e-6)


@pytest.mark.parametrize("name", BATCH_LOSSES)
def test_same_in_a_graph_of_unknown_batch_size(name):
    loss = tf.function(BATCH_LOSSES[name], input_signature=[tf.TensorSpec([None, 5]), tf.TensorSpec([None], tf.int32)])
    np.testing.assert_allclose(loss(unit(6, 5), LABELS), BATCH_LOSSES[name](unit(6, 5), LABELS), rtol=1e-5)


@pytest.mark.parametrize("name", TUPLE_LOSSES)
def test_same_in_a_graph_of_unknown_tuple_size(name):
    loss = tf.function(TUPLE_LOSSES[name], input_signature=[tf.TensorSpec([None, None, 5])])
    np.testing.assert_allclose(loss(unit(3, 4, 5)), TUPLE_LOSSES[name](unit(3, 4, 5)), rtol=1e-5)


@pytest.mark.parametrize("name", BATCH_LOSSES)
def test_descent_brings_a_landmark_together(name):
    embeddings = tf.Variable(unit(6, 4, seed=3))
    loss = BATCH_LOSSES[name]
    start = float(loss(embeddings, LABELS))
    for _ in range(40):
        _, gradient = value_and_gradient(lambda x: loss(tf.math.l2_normalize(x, -1), LABELS), embeddings.numpy())
        embeddings.assign(tf.math.l2_normalize(embeddings - 0.5 * gradient, -1))
    assert float(loss(embeddings, LABELS)) < 0.7 * start


@pytest.mark.parametrize("name", BATCH_LOSSES)
def test_labels_must_be_whole_numbers(name):
    with pytest.raises(ValueError, match=r"expected int labels \[B\]; received float32"):
        BATCH_LOSSES[name](unit(6, 4), LABELS.astype(np.float32))


@pytest.mark.parametrize(("loss", "margins"), [
    (lambda m: contrastive_loss(unit(6, 4), LABELS, m), (0.1, 0.5, 1.0, 1.9)),
    (lambda m: contrastive_loss(unit(6, 4), LABELS, m, form="linear"), (0.1, 0.5, 1.0, 1.9)),
    (lambda m: batch_triplet_loss(unit(6, 4), LABELS, m), (0.0, 0.1, 0.5, 2.0)),
    (lambda m: batch_triplet_loss(unit(6, 4), LABELS, m, mining="hard"), (0.0, 0.1, 0.5, 2.0)),
    (lambda m: tuple_contrastive_loss(unit(3, 4, 5), m), (0.1, 0.5, 1.0, 1.9)),
    (lambda m: tuple_triplet_loss(unit(3, 4, 5), m), (0.0, 0.1, 0.5, 2.0))])
def test_a_larger_margin_costs_more(loss, margins):
    values = np.array([np.sum(loss(margin)) for margin in margins])
    assert (np.diff(values) >= 0).all()
    assert values[-1] > values[0]
