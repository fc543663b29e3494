"""Directions that carry variance."""

import numpy as np
import pytest

from landmark_zoo.retrieval.whitening.numerical_rank import numerical_rank


@pytest.mark.parametrize(("variances", "rank"), [
    ([1, 0.5, 1e-9], 3), ([1, 0.5, 1e-11], 2), ([1e-5, 1e-16], 1), ([1e-16, 1e-17], 0), ([0, -1e-20], 0)])
def test_rounding_is_no_direction(variances, rank):
    assert numerical_rank(np.array(variances)) == rank
