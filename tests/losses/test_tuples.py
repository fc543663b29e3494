import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.tuples import second_order_similarity, tuple_contrastive_loss, tuple_parts, tuple_triplet_loss


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def by_loops(tuples, margin):
    """cirtorch's sum of 1/2 y D^2 + 1/2 (1 - y) max(m - D, 0)^2, D = |a - b + 1e-6|, of each tuple."""
    losses = []
    for query, *others in tuples.astype(np.float64):
        distances = [np.linalg.norm(query - other + 1e-6) for other in others]
        losses.append(0.5 * distances[0] ** 2 + sum(0.5 * max(margin - d, 0) ** 2 for d in distances[1:]))
    return losses


@pytest.mark.parametrize("margin", [0.7, 0.85, 1.6])
@pytest.mark.parametrize("negatives", [1, 5])
def test_equals_loops(margin, negatives):
    tuples = unit(4, 2 + negatives, 6)
    np.testing.assert_allclose(tuple_contrastive_loss(tuples, margin), by_loops(tuples, margin), rtol=1e-4, atol=1e-5)


def at_distances(*distances):
    angles = 2 * np.arcsin(np.array([0, *distances]) / 2)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)[np.newaxis].astype(np.float32)


@pytest.mark.parametrize(("distances", "margin", "expected"), [
    ((0.5, 0.9), 0.7, 0.125), ((0, 0.5), 0.7, 0.02), ((0.5, 0.5), 0.7, 0.145), ((0, 0.5), 0.85, 0.06125)])
def test_worked_out_by_hand(distances, margin, expected):
    np.testing.assert_allclose(tuple_contrastive_loss(at_distances(*distances), margin), [expected], atol=1e-6)


def test_five_negatives_count_five_times():
    np.testing.assert_allclose(tuple_contrastive_loss(at_distances(0, *[0.5] * 5), 0.7), [5 * 0.02], rtol=1e-4)


def test_queries_keep_their_own_negatives():
    """The fault of a public implementation: with several queries, positives and negatives were paired across tuples."""
    tuples = unit(3, 7, 4)
    together = tuple_contrastive_loss(tuples, 1.2)
    for number in range(3):
        np.testing.assert_allclose(together[number], tuple_contrastive_loss(tuples[number:number + 1], 1.2)[0], rtol=1e-5)


def test_margin_is_checked():
    with pytest.raises(ValueError, match="expected margin > 0; received -1"):
        tuple_contrastive_loss(unit(1, 3, 4), -1)


@pytest.mark.parametrize("margin", [0, 0.1, 1.25])
def test_tuple_triplet_equals_loops(margin):
    tuples = unit(4, 6, 5)
    expected = [sum(max(sum((q - p) ** 2) - sum((q - n) ** 2) + margin, 0) for n in negatives)
                for q, p, *negatives in tuples.astype(np.float64)]
    np.testing.assert_allclose(tuple_triplet_loss(tuples, margin), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("positive", "negative", "expected"), [(0.8, 0.7, 0.2), (0.6, 0.8, 0), (0.8**0.5, 0.7**0.5, 0.2)])
def test_distances_are_squared(positive, negative, expected):
    """cirtorch's margin of 0.1 is one of squared distances: .64 - .49 + .1 = .25 and .36 - .64 + .1 < 0."""
    angles = 2 * np.arcsin(np.array([0, positive, negative]) / 2)
    tuples = np.stack([np.cos(angles), np.sin(angles)], axis=1)[np.newaxis].astype(np.float32)
    expected = max(positive**2 - negative**2 + 0.1, 0)
    np.testing.assert_allclose(tuple_triplet_loss(tuples), [expected], atol=1e-6)


def test_tuple_triplet_margin_is_checked():
    with pytest.raises(ValueError, match=r"expected margin >= 0; received -0\.1"):
        tuple_triplet_loss(unit(1, 3, 4), -0.1)


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


TUPLE = np.array([[[1, 0], [0.8, 0.6], [0, 1], [-1, 0]]], np.float32)


def test_second_order_similarity_worked_out_by_hand():
    np.testing.assert_allclose(second_order_similarity(TUPLE), math.sqrt((2 - 0.8) ** 2 + (4 - 3.6) ** 2), rtol=1e-5)
    np.testing.assert_allclose(second_order_similarity(TUPLE), 1.264911, atol=1e-6)


def test_second_order_similarity_equals_loops():
    tuples = np.random.default_rng(0).standard_normal((3, 7, 4)).astype(np.float32)
    total = sum((sum((q - n) ** 2) - sum((p - n) ** 2)) ** 2 for q, p, *negatives in tuples for n in negatives)
    np.testing.assert_allclose(second_order_similarity(tuples), math.sqrt(total) / 3, rtol=1e-4)


def test_one_root_over_the_batch():
    np.testing.assert_allclose(second_order_similarity(np.tile(TUPLE, [4, 1, 1])), second_order_similarity(TUPLE) / 2,
                               rtol=1e-5)


def test_a_positive_like_its_query_costs_nothing():
    tuples = TUPLE.copy()
    tuples[:, 1] = tuples[:, 0]
    np.testing.assert_allclose(second_order_similarity(tuples), 0, atol=2e-6)
