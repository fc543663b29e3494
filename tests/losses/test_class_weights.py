"""Class weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.losses.class_weights import class_weights


def test_worked_out_by_hand():
    plain = [1 / math.log(2), 1 / math.log(4), 1 / math.log(101)]
    np.testing.assert_allclose(class_weights([1, 3, 100]), np.array(plain) / np.mean(plain), rtol=1e-6)
    np.testing.assert_allclose(class_weights([1, 4], "inverse"), [1.6, 0.4], rtol=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30).filter(any), st.sampled_from(["inverse_log", "inverse"]))
def test_mean_one_and_rare_before_common(counts, kind):
    weights, counts = class_weights(counts, kind), np.array(counts)
    assert weights.dtype == np.float32
    assert weights[counts > 0].mean() == pytest.approx(1, rel=1e-5)
    assert not weights[counts == 0].any()
    ordered = weights[counts > 0][np.argsort(counts[counts > 0], kind="stable")]
    assert (np.diff(ordered) <= 1e-6).all()


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2], [[1, 2]]])
def test_impossible_counts(counts):
    with pytest.raises(ValueError, match=r"expected counts \[N\] of 0 or more, one at least above 0; received"):
        class_weights(counts)


def test_unknown_kind():
    with pytest.raises(ValueError, match="expected kind 'inverse_log' or 'inverse'; received 'log'"):
        class_weights([1], "log")
