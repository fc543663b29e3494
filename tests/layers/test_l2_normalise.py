"""Division by the norm."""

import numpy as np

from landmark_zoo.layers.l2_normalise import L2Normalise, l2_normalise
from tests.contracts.layer import check_layer


def test_contract(tmp_path):
    check_layer(L2Normalise, np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32), tmp_path)


def test_zero_stays_zero_and_small_vectors_become_unit():
    np.testing.assert_allclose(l2_normalise([[0.0, 0.0], [3e-9, 4e-9]]), [[0, 0], [0.6, 0.8]], rtol=1e-5)
