"""The tuple loss against loops, and cirtorch's conventions."""

import numpy as np
import pytest

from landmark_zoo.losses.tuple_contrastive import tuple_contrastive_loss


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
