"""Weights of members."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.member_factors import member_factors


def test_squares_are_the_shares():
    np.testing.assert_allclose(member_factors([3, 1], 2) ** 2, [0.75, 0.25], rtol=1e-6)
    np.testing.assert_allclose(member_factors(None, 4), 0.5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_wrong_ones(weights):
    with pytest.raises(UserError, match="2 weights above 0, one for each member"):
        member_factors(weights, 2)
