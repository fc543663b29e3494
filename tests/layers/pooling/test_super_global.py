"""SuperGlobal's refinements against loops, by hand, and with the conventions of the authors' code."""

import numpy as np
import pytest

from landmark_zoo.layers.pooling.global_pooling import GeM
from landmark_zoo.layers.pooling.super_global import Floor, RegionalGeM, regional_gem


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 6)), 0).astype(np.float32)


def by_loops(features, p, border):
    padded = np.pad(features, [(0, 0), (border, border), (border, border), (0, 0)], mode="reflect")
    refined = np.zeros(features.shape)
    for y, x in np.ndindex(*features.shape[1:3]):
        around = padded[:, y:y + 2 * border + 1, x:x + 2 * border + 1].astype(np.float64)
        refined[:, y, x] = features[:, y, x] / 2 + np.mean(around ** p, axis=(1, 2)) ** (1 / p) / 2
    return refined


@pytest.mark.parametrize(("p", "size"), [(2.5, 5), (3.0, 3)])
def test_regional_means_by_loops(features, p, size):
    np.testing.assert_allclose(regional_gem(features, p, size), by_loops(features, p, size // 2), rtol=1e-5, atol=1e-6)


def test_by_hand():
    """Of 1 and 0 side by side, reflected, the left one sees itself once among three: (1 + (1/3)^(1/2)) / 2."""
    found = regional_gem(np.array([[[[1.0], [0.0]]]]), 2.0, 3)
    np.testing.assert_allclose(np.ravel(found), [(1 + (1 / 3) ** 0.5) / 2, (2 / 3) ** 0.5 / 2], rtol=1e-5)


def test_even_maps_stay_and_no_neighbours_are_plain_gem(features):
    np.testing.assert_allclose(regional_gem(np.full((1, 4, 3, 2), 0.7, np.float32)), 0.7, rtol=1e-6)
    np.testing.assert_allclose(RegionalGeM(size=1)(features), GeM(4.6, eps=1e-8)(features), rtol=1e-5)


def test_the_pooled_vector(features):
    expected = np.mean(by_loops(features, 2.5, 2) ** 4.6, axis=(1, 2)) ** (1 / 4.6)
    np.testing.assert_allclose(RegionalGeM()(features), expected, rtol=1e-5)


def test_wrong_settings():
    for wrong in ({"size": 4}, {"regional_p": 0.0}):
        with pytest.raises(ValueError, match="RegionalGeM: expected regional_p > 0 and an odd size"):
            RegionalGeM(**wrong)


def test_floor(check_layer, features, tmp_path):
    np.testing.assert_array_equal(Floor(0.5)(np.array([-1.0, 0.2, 0.75])), [0.5, 0.5, 0.75])
    check_layer(Floor, features, tmp_path)
