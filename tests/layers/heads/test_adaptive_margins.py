"""Margins by class size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.heads import ArcFace
from landmark_zoo.layers.heads.adaptive_margins import adaptive_margins


def test_worked_out_by_hand():
    """n^(-1/4) of 1, 16, 10,000 is 1, 1/2, 1/10."""
    np.testing.assert_allclose(adaptive_margins([1, 16, 10_000]), [0.5, 0.05 + 0.45 * 0.4 / 0.9, 0.05], rtol=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, 50_000), min_size=2, max_size=30))
def test_from_smallest_to_largest_as_pictures_get_fewer(counts):
    margins = adaptive_margins(counts, 0.1, 0.4)
    assert margins.min() == np.float32(0.1)
    assert margins.max() == (np.float32(0.4) if len(set(counts)) > 1 else np.float32(0.1))
    assert (np.diff(margins[np.argsort(counts, kind="stable")]) <= 1e-6).all()


def test_classes_of_one_size_have_the_smallest():
    np.testing.assert_array_equal(adaptive_margins([7, 7, 7]), np.full(3, 0.05, np.float32))


def test_go_into_a_head():
    assert ArcFace(3, margin=adaptive_margins([1, 5, 9])).margin.shape == (3,)


@pytest.mark.parametrize("arguments", [([],), ([0, 1],), ([[1, 2]],), ([1, 2], -0.1), ([1, 2], 0.5, 0.4), ([1, 2], 0.1, 4)])
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match=r"expected counts \[N\] of 1 or more and 0 <= smallest <= largest < pi; received"):
        adaptive_margins(*arguments)
