"""Ranks that cannot be are refused before they become a figure."""

import numpy as np
import pytest

from landmark_zoo.metrics.checked_ranks import checked_ranks


def test_good_ranks_become_int64():
    ranks = checked_ranks([0, 4], 3)
    assert ranks.dtype == np.int64
    assert ranks.tolist() == [0, 4]
    assert checked_ranks([], 0).tolist() == []


@pytest.mark.parametrize(("ranks", "positives"), [
    ([-1], 1), ([2, 2], 3), ([3, 1], 3), ([0, 1], 1), ([[0]], 1), ([0.5], 1),
])
def test_impossible_ranks_are_refused(ranks, positives):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        checked_ranks(ranks, positives)
