"""The tuple triplets against loops."""

import numpy as np
import pytest

from landmark_zoo.losses.tuple_triplet import tuple_triplet_loss


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("margin", [0, 0.1, 1.25])
def test_equals_loops(margin):
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


def test_margin_is_checked():
    with pytest.raises(ValueError, match=r"expected margin >= 0; received -0\.1"):
        tuple_triplet_loss(unit(1, 3, 4), -0.1)
