"""Scales and their words."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.scales import Scales


def test_words():
    assert Scales().aggregation == "none"
    assert Scales((0.5, 1.0)).aggregation == "mean of embeddings of length 1, L2"
    assert Scales((2.0,), power=2.5).aggregation == "generalised mean, p 2.5, of embeddings of length 1, L2"


@pytest.mark.parametrize("factors", [(), (0.0,), (-1.0, 1.0), (1.0, 1.0), (float("nan"),)])
def test_no_such_scales(factors):
    with pytest.raises(UserError, match="scales above 0, none twice"):
        Scales(factors)


@pytest.mark.parametrize("power", [0.0, -1.0, float("inf")])
def test_no_such_power(power):
    with pytest.raises(UserError, match="a power above 0"):
        Scales(power=power)
