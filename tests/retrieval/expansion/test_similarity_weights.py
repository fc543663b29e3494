"""Weights of neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.expansion.similarity_weights import similarity_weights


@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2, 3])
def test_a_negative_similarity_counts_nothing(alpha):
    assert similarity_weights(np.array([-0.5, 0.0]), alpha).tolist() == [0, 0]
    assert similarity_weights(np.array([0.5]), alpha)[0] == pytest.approx(0.5**alpha)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.floats(0, 9))
def test_weights_lie_in_0_to_1_and_rise_with_similarity(similarities, alpha):
    weights = similarity_weights(np.sort(similarities), alpha)
    assert (weights >= 0).all()
    assert (weights <= 1).all()
    assert (np.diff(weights) >= 0).all()


@pytest.mark.parametrize("alpha", [-1.0, np.inf, np.nan])
def test_other_alphas_are_refused(alpha):
    with pytest.raises(UserError, match="alpha of 0 or more"):
        similarity_weights(np.ones(1), alpha)
