"""The sum of DELG's three losses against a loop."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.delg_loss import delg_loss

GLOBAL, ATTENTION, ERRORS = np.random.default_rng(0).uniform(0, 3, (3, 5)).astype(np.float32)


@pytest.mark.parametrize("weights", [(), (0.5, 2.0), (0, 0)])
def test_equals_a_loop(weights):
    beta, reconstruction = weights or (1, 10)
    losses = delg_loss(GLOBAL, ATTENTION, ERRORS, *weights)
    for row, loss in enumerate(losses):
        np.testing.assert_allclose(loss, GLOBAL[row] + beta * ATTENTION[row] + reconstruction * ERRORS[row], rtol=1e-6)


def test_half_precision_does_not_overflow():
    large = np.full(2, 6e4, np.float16)
    losses = delg_loss(large, large, large)
    assert losses.dtype == tf.float32
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("weights", [{"attention_weight": -1}, {"reconstruction_weight": -0.1}])
def test_negative_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"expected attention_weight >= 0 and .* >= 0; received .*-"):
        delg_loss(GLOBAL, ATTENTION, ERRORS, **weights)
