"""Sum pooling, and where its prior is centred."""

import math

import numpy as np
import pytest

from landmark_zoo.layers.pooling import SPoC
from landmark_zoo.layers.pooling.spoc import centre_weights

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


def weights_by_loops(height, width):
    """Equation 4 with locations from 1 and the centre at (H + 1) / 2."""
    sigma = min(height, width) / 6
    return [[math.exp(-((y - (height + 1) / 2) ** 2 + (x - (width + 1) / 2) ** 2) / (2 * sigma**2))
             for x in range(1, width + 1)] for y in range(1, height + 1)]


def test_worked_out_by_hand():
    np.testing.assert_allclose(SPoC()(X0), [[2.8, 3.2, 3.6, 4.0]], rtol=1e-6)


def test_direction_is_that_of_the_mean():
    vector, mean = SPoC()(X0).numpy(), X0.mean(axis=(1, 2))
    np.testing.assert_allclose(vector / np.linalg.norm(vector), mean / np.linalg.norm(mean), rtol=1e-6)


@pytest.mark.parametrize("prior", [False, True])
def test_equals_loops(prior):
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 3)).astype(np.float32)
    weights = weights_by_loops(7, 5) if prior else np.ones((7, 5))
    expected = [[sum(weights[i][j] * image[i, j, c] for i in range(7) for j in range(5)) for c in range(3)]
                for image in features]
    np.testing.assert_allclose(SPoC(centre_prior=prior)(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(7, 5), (4, 4), (37, 37), (3, 12), (1, 1), (1, 8)])
def test_prior_is_symmetric(height, width):
    weights = centre_weights(height, width).numpy()
    np.testing.assert_allclose(weights, weights_by_loops(height, width), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(weights, weights[::-1], rtol=1e-6)
    np.testing.assert_allclose(weights, weights[:, ::-1], rtol=1e-6)


def test_prior_of_the_paper_is_half_a_location_off():
    """With the centre at H/2, 4 x 4 has its maximum at the second location: (.105399, .324652, .105399, .003607)."""
    literal = [math.exp(-((1 - 2) ** 2 + (x - 2) ** 2) / (2 * (4 / 6) ** 2)) for x in (1, 2, 3, 4)]
    np.testing.assert_allclose(literal, [0.105399, 0.324652, 0.105399, 0.003607], atol=1e-6)
    first = centre_weights(4, 4).numpy()[0]
    np.testing.assert_allclose(first, [math.exp(-81 / 16), math.exp(-45 / 16), math.exp(-45 / 16), math.exp(-81 / 16)],
                               rtol=1e-5)


def test_sigma_is_a_third_of_the_way_to_the_nearest_border():
    weights = centre_weights(13, 25).numpy()
    assert weights[6, 12] == 1
    np.testing.assert_allclose(weights[0, 12], math.exp(-36 / (2 * (13 / 6) ** 2)), rtol=1e-5)
    np.testing.assert_allclose(weights[6, 6], weights[0, 12], rtol=1e-5)
