"""SOSNet's loss against loops written after the authors' code."""

import numpy as np
import pytest

from landmark_zoo.losses.sosnet import hardest_triplets, neighbourhoods, second_order_term, sosnet_loss


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def pairs(count, seed=0, noise=0.3):
    anchors = unit(count, 6, seed=seed)
    positives = anchors + noise * unit(count, 6, seed=seed + 1)
    return anchors, (positives / np.linalg.norm(positives, axis=1, keepdims=True)).astype(np.float32)


def between(left, right):
    return np.sqrt(np.maximum(2 * (1 - left.astype(np.float64) @ right.T), 0) + 1e-6)


def order(row, own):
    """Other rows by distance; the row's own and near-duplicates come 2 later."""
    return sorted(range(len(row)), key=lambda j: row[j] + 2 * (j == own) + 2 * (row[j] <= 8e-3))


def triplets_by_loops(anchors, positives, margin):
    left, right, across = between(anchors, anchors), between(positives, positives), between(anchors, positives)
    losses = []
    for i in range(len(anchors)):
        nearest = min(side[i][order(side[i], i)[0]] for side in (left, right, across, across.T))
        losses.append(max(margin + across[i, i] - nearest, 0) ** 2)
    return losses


def second_order_by_loops(anchors, positives, k):
    left, right, across = between(anchors, anchors), between(positives, positives), between(anchors, positives)
    count = len(anchors)
    near = {(i, j) for side in (left, right, across, across.T) for i in range(count) for j in order(side[i], i)[:k]}
    return [np.sqrt(1e-6 + sum((left[i, j] - right[i, j]) ** 2 for j in range(count)
                               if i != j and ((i, j) in near or (j, i) in near))) for i in range(count)]


def test_second_order_worked_out_by_hand():
    term = second_order_term(np.eye(2, dtype=np.float32), np.array([[0.8, 0.6], [0, 1]], np.float32), 8)
    np.testing.assert_allclose(sum(term), 1.039572, atol=1e-5)


@pytest.mark.parametrize("neighbours", [1, 3, 8, 100])
@pytest.mark.parametrize("count", [2, 7, 12])
def test_equals_loops(count, neighbours):
    anchors, positives = pairs(count)
    triplets = triplets_by_loops(anchors, positives, 1.0)
    second = second_order_by_loops(anchors, positives, neighbours)
    np.testing.assert_allclose(hardest_triplets(anchors, positives, 1.0), triplets, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(second_order_term(anchors, positives, neighbours), second, rtol=1e-3)
    np.testing.assert_allclose(sosnet_loss(anchors, positives, 1.0, neighbours), np.add(triplets, second), rtol=1e-3,
                               atol=1e-5)


def test_neighbourhoods_are_mutual_and_without_oneself():
    near = neighbourhoods(*pairs(12), 2).numpy()
    np.testing.assert_array_equal(near, near.T)
    assert not np.diag(near).any()
    assert (near.sum(axis=1) >= 2).all()
    assert near.sum() < 12 * 11


def test_a_picture_under_two_labels_is_no_negative():
    anchors, positives = pairs(6)
    anchors[1], positives[1] = anchors[0], positives[0]
    positives[0] = positives[1] = anchors[0]
    losses = hardest_triplets(anchors, positives, 1.0)
    np.testing.assert_allclose(losses, triplets_by_loops(anchors, positives, 1.0), rtol=1e-3)
    without = hardest_triplets(np.delete(anchors, 1, 0), np.delete(positives, 1, 0), 1.0)
    np.testing.assert_allclose(losses[0], without[0], rtol=1e-3)


@pytest.mark.parametrize("arguments", [{"margin": -1}, {"neighbours": 0}])
def test_arguments_are_checked(arguments):
    with pytest.raises(ValueError, match="expected margin >= 0 and neighbours >= 1; received"):
        sosnet_loss(*pairs(3), **arguments)
